import { describe, expect, it } from 'vitest';

import { isWorkOf } from './server-life.js';

describe('an operation of a server', () => {
  const ours = { active: true, appName: 'backstop 12ab', ns: 'shop_restored.$cmd', waitingForLock: false };

  it.each([
    ['of this call, at work', ours, true],
    ['that waits for a lock', { ...ours, waitingForLock: true }, false],
    ['that is idle', { ...ours, active: false }, false],
    ['of the session that looks', { ...ours, appName: 'backstop 12ab look' }, false],
    ['of somebody else in the database', { ...ours, appName: 'the shop' }, false],
    ['without an application, in the database', { active: true, ns: 'shop_restored.orders' }, true],
    [
      'without an application, in one whose name begins alike',
      { active: true, ns: 'shop_restored_2.orders' },
      false,
    ],
    ['without an application and a place', { active: true }, false],
  ])('%s', (_, operation, isWork) => {
    expect(isWorkOf(operation, 'backstop 12ab', 'shop_restored')).toBe(isWork);
  });
});
