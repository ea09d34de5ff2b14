import { describe, expect, test } from 'vitest';

import { levelFor } from './verification-rules.js';

describe('the level of a verification', () => {
  test.each([
    [undefined, 'readable'],
    ['intact', 'intact'],
    ['readable', 'readable'],
  ] as const)('%s is %s', (asked, level) => {
    expect(levelFor('b', asked)).toBe(level);
  });

  test.each(['restorable', 'proven', 'accepted'] as const)('%s needs a scratch server', (asked) => {
    expect(() => levelFor('b', asked)).toThrow(
      expect.objectContaining({
        code: 'verification-level-unavailable',
        message: expect.stringContaining('POST /backups/b/restore'),
        facts: { level: asked, available: ['intact', 'readable'] },
      }),
    );
  });
});
