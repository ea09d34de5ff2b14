import 'reflect-metadata';

import { plainToInstance } from 'class-transformer';
import { expect, it } from 'vitest';

import { requestText } from '../../idempotency/request-text.js';
import { ScheduleFields, toScheduleEdits } from './schedule-fields.dto.js';

/** Its mark is compared with one that may have been made before an update: in other words the same request is another one. */
it('a schedule is marked in the same words over an update', () => {
  const body = {
    name: 'nightly',
    cron: '0 3 * * *',
    timezone: 'Europe/Berlin',
    catch_up: 'skip',
    jitter_seconds: 60,
    blackouts: [{ days: ['sat'], from: '22:00', to: '23:00' }],
    keep_daily: 7,
  };
  expect(requestText(toScheduleEdits(plainToInstance(ScheduleFields, body)))).toBe(
    '{"blackouts":[{"days":["sat"],"from":"22:00","to":"23:00"}],"catchUp":"skip","cron":"0 3 * * *","jitterSeconds":60,"name":"nightly","retention":{"keepDaily":7},"timezone":"Europe/Berlin"}',
  );
});
