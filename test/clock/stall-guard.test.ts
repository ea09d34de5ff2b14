import { describe, expect, it } from 'vitest';

import { StallGuard } from '../../src/clock/stall-guard.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const stalled = new Error('nothing moved');

/** Work that obeys the guard's signal, and otherwise ends when it is told to. */
function guarded(clock: ManualClock, ms = 10 * MINUTE_MS) {
  const guard = new StallGuard(clock, { ms, reason: () => stalled });
  const work = Promise.withResolvers<string>();
  guard.signal.addEventListener('abort', () => work.reject(new Error('torn')));
  const outcome = guard.watch(work.promise).catch((error: unknown) => error);
  return { guard, work, outcome };
}

/** Lets everybody who was woken get to his next sleep. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('a stall guard', () => {
  it('waits an hour for work that shows life, however slow', async () => {
    const clock = new ManualClock();
    const { guard, work, outcome } = guarded(clock);
    for (let passed = 0; passed < HOUR_MS; passed += 9 * MINUTE_MS) {
      clock.advance(9 * MINUTE_MS);
      guard.alive();
      await settled();
    }
    expect(guard.signal.aborted).toBe(false);
    work.resolve('done');
    expect(await outcome).toBe('done');
    expect(clock.sleeping).toBe(0);
  });

  it('ends work that shows none, with its reason, and not what was torn by it', async () => {
    const clock = new ManualClock();
    const { outcome } = guarded(clock);
    clock.advance(10 * MINUTE_MS - 1);
    await settled();
    expect(clock.sleeping).toBe(1);
    clock.advance(1);
    expect(await outcome).toBe(stalled);
    expect(clock.sleeping).toBe(0);
  });

  it.each([HOUR_MS, -HOUR_MS])('is not moved by a machine whose clock is set by %d ms', async (jumpMs) => {
    const clock = new ManualClock();
    const { guard, work, outcome } = guarded(clock);
    clock.setWallTo(new Date(clock.now().getTime() + jumpMs));
    await settled();
    expect(guard.signal.aborted).toBe(false);
    clock.advance(10 * MINUTE_MS);
    expect(await outcome).toBe(stalled);
    work.resolve('too late');
  });

  it('wants to hear at least four times in its limit, and every half minute', () => {
    const every = (ms: number): number =>
      new StallGuard(new ManualClock(), { ms, reason: () => stalled }).everyMs;
    expect([every(2_000), every(HOUR_MS)]).toEqual([500, 30_000]);
  });
});
