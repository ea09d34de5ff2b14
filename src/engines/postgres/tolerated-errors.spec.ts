import { describe, expect, it } from 'vitest';

import { needsTolerance, ToleratedErrors } from './tolerated-errors.js';

const TIMEOUT =
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"';
const IGNORED = (count: number): string => `pg_restore: warning: errors ignored on restore: ${count}`;

function judge(lines: string[], code: number): ToleratedErrors & { good: boolean } {
  const errors = new ToleratedErrors();
  for (const line of lines) errors.read(line);
  return Object.assign(errors, { good: errors.accepts({ code, signal: null, stderr: '' }) });
}

describe('ToleratedErrors', () => {
  it.each([
    ['nothing said', [], 0, true],
    ['nothing said, but a bad exit', [], 1, false],
    ['the known error', [TIMEOUT, IGNORED(1)], 1, true],
    ['the known error, with the wrong count', [TIMEOUT, IGNORED(2)], 1, false],
    ['the known error without the closing line', [TIMEOUT], 1, false],
    [
      'another error',
      ['pg_restore: error: could not execute query: ERROR:  relation "t" already exists', IGNORED(1)],
      1,
      false,
    ],
    ['both', [TIMEOUT, 'pg_restore: error: other', IGNORED(2)], 1, false],
    ['an error, but exit 0', ['pg_restore: error: other'], 0, false],
    ['the known error, but killed', [TIMEOUT, IGNORED(1)], 137, false],
  ])('%s', (_, lines, code, good) => {
    expect(judge(lines, code).good).toBe(good);
  });

  it('tells what was tolerated, once', () => {
    expect(judge([TIMEOUT, TIMEOUT, IGNORED(2)], 1).notes).toEqual([
      'the server does not know the setting transaction_timeout, which only concerned the restoring session',
    ]);
  });

  it.each([
    [16, 15, false],
    [17, 16, true],
    [18, 17, false],
    [18, 15, true],
  ])('a tool of version %i needs it on a server of version %i: %s', (tool, server, needed) => {
    expect(needsTolerance(tool, server)).toBe(needed);
  });
});
