import { expect, test } from 'vitest';

import { parseToc } from './archive-toc.js';

test.each(['x', '--', 'abc', '\x28\xb5\x2f\xfd', 'PGDX', 'age-encryption.org/v1'])(
  '%j is no archive of pg_dump',
  (start) => {
    expect(() => parseToc(Buffer.from(start, 'latin1'))).toThrow(
      expect.objectContaining({ code: 'archive-foreign' }),
    );
  },
);

test.each(['', 'P', 'PGDMP', 'PGDMP\x01'])('%j may become one', (start) => {
  expect(parseToc(Buffer.from(start, 'latin1'))).toBeUndefined();
});
