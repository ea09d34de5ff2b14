import { expect, test } from 'vitest';

import { WaitTimeoutError } from './backups.errors.js';

test.each([
  [null, 'Backup b is still queued after 5 s. It goes on; see GET /backups/b.'],
  [
    'no connection to db:5432',
    'Backup b is still queued after 5 s. Its last attempt failed: no connection to db:5432. It goes on; see GET /backups/b.',
  ],
])('a wait that ran out tells what went wrong so far: %j', (trouble, detail) => {
  expect(new WaitTimeoutError('b', 'queued', 5, trouble).message).toBe(detail);
});
