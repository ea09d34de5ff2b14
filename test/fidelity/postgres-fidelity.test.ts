import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { postgresServers } from '../support/postgres-servers.ts';
import { completedRestore } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup, register } from '../support/shop.ts';
import { differenceOfDumps } from './dump-text.ts';
import { freshSample, type Sample } from './sample.ts';

const servers = postgresServers();

/** A table of 1,600 columns takes a server, its tools and us half a minute each, on a machine with something else to do. */
const LIMIT = { timeout: 300_000 };

let service: Service;
beforeAll(async () => {
  service = await startService({ env: { PG_BIN_DIRS: servers.at(-1)?.clientBinDirs.join(':') ?? '' } });
});
afterAll(async () => {
  await service?.stop();
});

describe.each(servers)('PostgreSQL $major: everything that it has comes back', LIMIT, (server) => {
  let sample: Sample;
  beforeAll(async () => {
    sample = await freshSample(server);
  });
  afterAll(() => sample?.drop());

  test('but for what the test of the connection names', async () => {
    await register(service, server, sample.name, `probed-${server.major}`);
    const { body } = await service.request<{ warnings: { code: string; detail: string }[] }>(
      'POST',
      `/databases/probed-${server.major}/test`,
    );
    expect(body.warnings.map(({ code }) => code)).toEqual([
      'foreign-tables',
      'database-settings',
      'tablespaces',
      'subscriptions',
    ]);
  });

  test('from a custom archive, with owners and rights, text for text', async () => {
    const name = `custom-${server.major}`;
    await register(service, server, sample.name, name, { options: { hash_content: true } });
    const backup = await completedBackup(service, name);
    const { result, target } = await completedRestore(service, backup.id);
    expect(result).toMatchObject({
      verified: true,
      compared: { items: backup.contents.items, schema: true },
      notes: [],
    });
    expect(await differenceOfDumps(server, [sample.name, target.database_name])).toBe('');
  });

  test('from a plain dump, without owners and rights, text for text', async () => {
    const name = `plain-${server.major}`;
    await register(service, server, sample.name, name, { options: { hash_content: true, format: 'plain' } });
    const backup = await completedBackup(service, name);
    const { result, target } = await completedRestore(service, backup.id);
    expect(result).toMatchObject({
      verified: true,
      compared: { items: backup.contents.items, schema: true },
    });
    // Large objects are told by the comparison: pg_dump groups them by owner and rights, also where it leaves those out.
    const flags = ['--no-owner', '--no-privileges', '--no-blobs'];
    expect(await differenceOfDumps(server, [sample.name, target.database_name], flags)).toBe('');
  });
});
