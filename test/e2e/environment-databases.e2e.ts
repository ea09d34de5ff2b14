import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { startFailingService, startService } from '../support/service.ts';
import { completedBackup, freshShop } from '../support/shop.ts';

const server = newestPostgresServer();

interface DatabaseBody {
  name: string;
  engine: string;
  host: string;
  port: number;
  updated_at: string;
}

test(
  'a database that the environment names is registered once, works, and is not touched by a restart',
  { timeout: 180_000 },
  async () => {
    const shop = await freshShop(server);
    const dataDir = await mkdtemp(join(tmpdir(), 'backstop-environment-'));
    await writeFile(join(dataDir, 'password'), `${server.password}\n`);
    const env = {
      PG_BIN_DIRS: server.clientBinDirs.join(':'),
      POSTGRES_HOST: server.host,
      POSTGRES_PORT: String(server.port),
      POSTGRES_DB: shop.name,
      POSTGRES_USER: server.username,
      POSTGRES_PASSWORD_FILE: join(dataDir, 'password'),
      MONGO_HOST: 'mongo.example.com',
      MONGO_DB: 'articles',
    };
    const first = await startService({ env, dataDir });
    const registered = await first.request<DatabaseBody[]>('GET', '/databases');
    expect(registered.body.map(({ name, engine }) => `${engine} ${name}`)).toEqual([
      'mongodb articles',
      `postgres ${shop.name}`,
    ]);
    expect(registered.text).not.toContain(server.password);
    expect((await completedBackup(first, shop.name)).status).toBe('completed');
    // Somebody moves the other one by the API; the environment does not take that back.
    await first.request('PATCH', '/databases/articles', { host: 'elsewhere.example.com' });
    const before = await first.request('GET', '/databases');
    await first.stop();
    const second = await startService({ env, dataDir });
    expect((await second.request('GET', '/databases')).text).toBe(before.text);
    await second.stop();
    await shop.drop();
    await rm(dataDir, { recursive: true, force: true });
  },
);

test('a wrong value stops the start, and says which', async () => {
  const env = { POSTGRES_HOST: 'db', POSTGRES_DB: 'shop', POSTGRES_PORT: 'five' };
  const exit = await startFailingService({ env });
  expect(exit.code).toBe(1);
  expect(exit.stderr).toContain(
    'environment-database-invalid: the database that POSTGRES_HOST and POSTGRES_DB',
  );
  expect(exit.stderr).toContain('port');
});
