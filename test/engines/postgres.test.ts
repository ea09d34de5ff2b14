import { describe } from 'vitest';

import { engineContract } from '../contracts/engine.contract.ts';
import { postgresServers } from '../support/postgres-servers.ts';
import { openPostgres } from './postgres-under-test.ts';

describe.each(postgresServers())('PostgreSQL $major', (server) => {
  engineContract(`postgres ${server.major}`, ['custom', 'plain'], () => openPostgres(server));
});
