import 'reflect-metadata';

import { plainToInstance } from 'class-transformer';
import { expect, it } from 'vitest';

import { requestText } from '../../idempotency/request-text.js';
import { NewDatabase, toDatabaseRequest } from './new-database.dto.js';

/** Its mark is compared with one that may have been made before an update: in other words the same request is another one. */
it('a registration is marked in the same words over an update', () => {
  const body = {
    name: 'shop',
    engine: 'postgres',
    host: 'db',
    port: 5432,
    database_name: 'shop',
    username: 'ada',
    password: 'not-a-secret-for-tests',
    tls: { mode: 'require' },
    options: { format: 'custom', stall_seconds: 60 },
    schedule: '0 3 * * *',
    retention_days: 30,
  };
  expect(requestText(toDatabaseRequest(plainToInstance(NewDatabase, body)))).toBe(
    '{"connection":{"databaseName":"shop","host":"db","password":"not-a-secret-for-tests","port":5432,"username":"ada"},"engine":"postgres","name":"shop","options":{"format":"custom","stallSeconds":60},"retention":{"retentionDays":30},"schedule":{"cron":"0 3 * * *"},"tls":{"mode":"require"}}',
  );
});
