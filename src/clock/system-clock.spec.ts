import { expect, test } from 'vitest';

import { SystemClock } from './system-clock.js';

test('sleeps longer than a timer of Node can count, instead of not at all', async () => {
  const clock = new SystemClock();
  const enough = new AbortController();
  const days = clock.sleep(30 * 86_400_000, enough.signal).then(
    () => 'woke by itself',
    (error: unknown) => error,
  );
  expect(await Promise.race([days, clock.sleep(50)])).toBeUndefined();
  const reason = new Error('enough');
  enough.abort(reason);
  expect(await days).toBe(reason);
});
