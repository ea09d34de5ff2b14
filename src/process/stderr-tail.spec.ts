import { describe, expect, it } from 'vitest';

import { StderrTail, scrub } from './stderr-tail.js';

describe('scrub', () => {
  it.each([
    ['a given secret', 'auth with hunter2 failed', 'auth with *** failed'],
    ['a given secret, percent-encoded', 'uri has p%40ss', 'uri has ***'],
    ['a URI', 'postgres://ann:secret@host/db', 'postgres://ann:***@host/db'],
    ['a URI whose password has an @', 'mongodb://ann:a@b@host/db', 'mongodb://ann:***@host/db'],
    ['two URIs', 'a://u:1@h b://u:2@h', 'a://u:***@h b://u:***@h'],
    ['a connection string', "host=h password='a b' user=u", 'host=h password=*** user=u'],
    ['nothing to hide', 'could not connect to host:5432', 'could not connect to host:5432'],
  ])('handles %s', (_, text, expected) => {
    expect(scrub(text, ['hunter2', 'p@ss', ''])).toBe(expected);
  });
});

describe('StderrTail', () => {
  it('splits lines wherever the bytes are cut', () => {
    const bytes = Buffer.from('one\r\nzwölf\n\nlast');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const lines: string[] = [];
      const tail = new StderrTail([], (line) => lines.push(line));
      tail.write(bytes.subarray(0, cut));
      tail.write(bytes.subarray(cut));
      tail.end();
      expect(lines).toEqual(['one', 'zwölf', '', 'last']);
      expect(tail.text).toBe('one\nzwölf\n\nlast');
    }
  });

  it('keeps the beginning and the end in bounded memory, and says what is missing', () => {
    const tail = new StderrTail();
    for (let line = 0; line < 20_000; line += 1) tail.write(Buffer.from(`line number ${line}\n`));
    tail.end();
    expect(tail.text.length).toBeLessThan(66_000);
    expect(tail.text).toMatch(/^line number 0\n/);
    expect(tail.text).toMatch(/line number 19999$/);
    expect(tail.text).toMatch(/\[… \d+ lines left out …\]/);
  });

  it('cuts a line without end', () => {
    const tail = new StderrTail();
    for (let i = 0; i < 100; i += 1) tail.write(Buffer.alloc(64_000, 'x'));
    tail.end();
    expect(tail.text.length).toBeLessThan(66_000);
  });

  it('hides a secret whose bytes come in two pieces', () => {
    const tail = new StderrTail(['hunter2']);
    tail.write(Buffer.from('it was hun'));
    tail.write(Buffer.from('ter2 again\n'));
    tail.end();
    expect(tail.text).toBe('it was *** again');
  });
});
