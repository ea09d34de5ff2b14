import { describe, expect, test } from 'vitest';

import { ToolLog } from './tool-log.js';

describe('the tool log', () => {
  test('is empty at first', () => {
    expect(new ToolLog().toString()).toBe('');
  });

  test('keeps every line of a short log, in order', () => {
    const log = new ToolLog();
    for (let i = 1; i <= 500; i += 1) log.add(`line ${i}`);
    expect(log.toString().split('\n').slice(0, 500)).toEqual(
      Array.from({ length: 500 }, (_, i) => `line ${i + 1}`),
    );
  });

  test('keeps the beginning and the end of a long one, bounded, and says what it left out', () => {
    const log = new ToolLog();
    const lines = 100_000;
    for (let i = 1; i <= lines; i += 1) log.add(`line ${i}`);
    const text = log.toString();
    expect(Buffer.byteLength(text)).toBeLessThan(257 * 1024);
    expect(text).toMatch(/^line 1\nline 2\n/);
    expect(text).toMatch(/line 99999\nline 100000\n$/);
    const leftOut = Number(/… (\d+) lines left out …/.exec(text)?.[1]);
    expect(leftOut + text.trimEnd().split('\n').length - 1).toBe(lines);
  });

  test('one line longer than the whole log does not stay', () => {
    const log = new ToolLog();
    log.add('x'.repeat(300 * 1024));
    log.add('end');
    expect(Buffer.byteLength(log.toString())).toBeLessThan(1024);
    expect(log.toString()).toMatch(/end\n$/);
  });
});
