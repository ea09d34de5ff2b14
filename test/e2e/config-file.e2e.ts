import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { freshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { type Service, type ServiceExit, startFailingService, startService } from '../support/service.ts';
import { completedBackup, freshShop } from '../support/shop.ts';

const server = newestPostgresServer();
const EXAMPLE = new URL('../../config/config.example.yaml', import.meta.url);
/** Rows that a start with nothing new must leave alone. */
const TABLES = ['databases', 'schedules', 'events', 'event_counter', 'event_totals'];

interface DatabaseBody {
  id: string;
  name: string;
  [field: string]: unknown;
}
interface ScheduleBody {
  name: string;
  database_name: string;
  [field: string]: unknown;
}

let dataDir: string;
let file: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-declared-'));
  file = join(dataDir, 'declared.yaml');
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const SHOP = 'name: shop, engine: postgres, host: db.example.com, database_name: shop';

/** Starts with this text as the file, asks, and stops. */
async function withFile<T>(
  text: string,
  ask: (service: Service) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  await writeFile(file, text);
  const service = await startService({ dataDir, env: { CONFIG_FILE: file, ...env } });
  try {
    return await ask(service);
  } finally {
    await service.stop();
  }
}

/** Starts with a file that is expected to be refused. */
async function refused(text: string, env: Record<string, string> = {}): Promise<ServiceExit> {
  await writeFile(file, text);
  return startFailingService({ dataDir, env: { CONFIG_FILE: file, ...env } });
}

const databasesOf = async (service: Service): Promise<DatabaseBody[]> =>
  (await service.request<DatabaseBody[]>('GET', '/databases')).body;
const schedulesOf = async (service: Service): Promise<ScheduleBody[]> =>
  (await service.request<ScheduleBody[]>('GET', '/schedules')).body;

/** What lies in the catalog of a service that has ended. */
function rows(): Record<string, unknown[]> {
  const catalog = new DatabaseSync(join(dataDir, 'data/backup.db'), { readOnly: true });
  try {
    return Object.fromEntries(
      TABLES.map((table) => [table, catalog.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()]),
    );
  } finally {
    catalog.close();
  }
}

// Each test starts the service several times.
describe('a configuration file', { timeout: 240_000 }, () => {
  test('registers databases and schedules that work, and a second start changes nothing', async () => {
    const shop = await freshShop(server);
    const env = {
      PG_BIN_DIRS: server.clientBinDirs.join(':'),
      SHOP_USER: server.username,
      SHOP_PASSWORD: server.password,
      // A database whose default schedule is taken away follows the service's own.
      BACKUP_SCHEDULE: '0 4 * * *',
    };
    const text = `
databases:
  - name: shop
    engine: postgres
    host: ${server.host}
    port: ${server.port}
    database_name: ${shop.name}
    username_var: SHOP_USER
    password_var: SHOP_PASSWORD
    tls: {mode: prefer}
    options: {compression: gzip, exclude_tables: [public.empty]}
    schedule: 0 3 * * *
    timezone: Asia/Jakarta
    retention_days: 7
    max_backups: 5
    keep_weekly: null
  - {name: other, engine: mongodb, uri: 'mongodb://u@a:1,b:2/x?replicaSet=rs0', schedule: null, timezone: Europe/Berlin}
  - {name: third, engine: postgres, host: h, database_name: d, parameters: {}, interval_hours: 6}
schedules:
  - {database_id: shop, name: hourly, cron: 0 * * * *, jitter_seconds: 60, retention_days: 1, blackouts: [{from: '08:00', to: '18:00', days: [mon]}]}
`;
    await withFile(
      text,
      async (service) => {
        const [other, ours] = await databasesOf(service);
        expect(ours).toMatchObject({
          name: 'shop',
          schedule: '0 3 * * *',
          timezone: 'Asia/Jakarta',
          retention_days: 7,
          max_backups: 5,
          password_var: 'SHOP_PASSWORD',
          options: { compression: 'gzip', exclude_tables: ['public.empty'] },
        });
        expect(other).toMatchObject({ host: 'a', port: 1, parameters: { replicaSet: 'rs0', seeds: 'b:2' } });
        expect(
          (await schedulesOf(service)).map(
            (each) => `${each.database_name} ${each.name} ${String(each['cron'])}`,
          ),
        ).toEqual([
          'shop default 0 3 * * *',
          'other default 0 4 * * *',
          'third default null',
          'shop hourly 0 * * * *',
        ]);
        expect((await completedBackup(service, 'shop')).filename).toContain('.gz');
        expect(service.logs().map(({ msg }) => msg)).toContain('the configuration file is applied');
      },
      env,
    );
    const before = rows();
    expect(before['events']?.length).toBeGreaterThan(3);
    await withFile(text, databasesOf, env);
    expect(rows()).toEqual(before);
    await shop.drop();
  });

  test('has the last word on what it says, and leaves alone what it does not mention', async () => {
    const [first] = await withFile(
      `databases: [{${SHOP}, port: 5433, schedule: 0 3 * * *, retention_days: 7}, {${SHOP.replace(' shop', ' gone')}}]`,
      async (service) => {
        await service.request('PATCH', '/databases/shop', {
          username: 'somebody',
          password: 'not-a-secret',
          retention_days: 90,
          min_backups: 2,
          timezone: 'Europe/Berlin',
        });
        return (await databasesOf(service)).filter(({ name }) => name === 'shop');
      },
    );
    expect(first).toMatchObject({ username: 'somebody', retention_days: 90 });
    const after = await withFile(
      `databases: [{${SHOP}, port: 5433, schedule: 0 5 * * *, retention_days: 7}]`,
      databasesOf,
    );
    expect(after.map(({ name }) => name)).toEqual(['gone', 'shop']);
    expect(after[1]).toMatchObject({
      id: first?.id,
      port: 5433,
      schedule: '0 5 * * *',
      retention_days: 7,
      min_backups: 2,
      timezone: 'Europe/Berlin',
      username: 'somebody',
      password: 'set',
    });
    // A stored password is not sent elsewhere because a file says so; a variable takes its place.
    await expect(withFile(`databases: [{${SHOP}, port: 5434}]`, databasesOf)).rejects.toThrow(
      /stored password/,
    );
    const last = await withFile(
      `databases: [{name: shop, password_var: SHOP_PASSWORD, retention_days: null}]`,
      databasesOf,
    );
    expect(last[1]).toMatchObject({ password_var: 'SHOP_PASSWORD', retention_days: null, port: 5433 });
    expect(last[1]).not.toHaveProperty('password');
  });

  test('writes nothing where a private key is stored that it does not mention', async () => {
    const { ca, cert, key } = await selfSigned();
    const text = `databases: [{${SHOP}, tls: {mode: verify-full, ca: ${JSON.stringify(ca)}, cert: ${JSON.stringify(cert)}}}]`;
    const exit = await refused(text);
    expect(exit.stderr).toContain('databases[0].tls.key: ');
    await withFile(`databases: [{${SHOP}}]`, (service) =>
      service.request('PATCH', '/databases/shop', { tls: { mode: 'verify-full', ca, cert, key } }),
    );
    const before = rows();
    await withFile(text, databasesOf);
    expect(rows()).toEqual(before);
  });

  test('with faults stops the start with all of them, and changes nothing', async () => {
    await withFile(`databases: [{${SHOP}}]`, databasesOf);
    const before = rows();
    const exit = await refused(`
databases:
  - {name: fresh, engine: postgres, host: db, database_name: x}
  - {name: shop, engine: mongodb, schedule: 60 * * * *}
  - {name: nobody, retention_days: 5}
  - {name: half, engine: postgres, host: db}
  - {name: late, engine: postgres, host: db, database_name: x, timezone: UTC}
schedules:
  - {database_id: nowhere, name: x, interval_hours: 1}
  - {database_id: shop, name: never}
`);
    expect(exit).toMatchObject({ code: 1, signal: null });
    expect(exit.stderr).toContain('config-file-invalid: ');
    const told = exit.stderr.split('\n').filter((line) => line.startsWith('  '));
    expect(told).toEqual([
      expect.stringMatching(/^ {2}databases\[1\]\.engine: "shop" is registered as postgres, .* \(line 4\)$/),
      expect.stringMatching(/^ {2}databases\[1\]\.schedule: the minute field has "60".* \(line 4\)$/),
      expect.stringMatching(/^ {2}databases\[2\]: has no engine, and no database "nobody" /),
      expect.stringMatching(/^ {2}databases\[3\]: Missing: database_name/),
      expect.stringMatching(/^ {2}databases\[4\]: The schedule says nowhere when it runs/),
      expect.stringMatching(/^ {2}schedules\[0\]\.database_id: no database "nowhere" is registered/),
      expect.stringMatching(/^ {2}schedules\[1\]: The schedule says nowhere when it runs/),
    ]);
    expect(rows()).toEqual(before);
  });

  test.each([
    ['is not YAML', 'databases:\n\t- name: shop\n', 'config-file-invalid'],
    ['is not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]), 'config-file-unreadable'],
    ['is far too large', Buffer.alloc(600_000, '#'), 'config-file-unreadable'],
  ])('that %s stops the start', async (_name, bytes, code) => {
    await writeFile(file, bytes);
    const exit = await startFailingService({ dataDir, env: { CONFIG_FILE: file } });
    expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining(`${code}: `) });
  });

  test('may be absent in its usual place, and must be where CONFIG_FILE says', async () => {
    const exit = await startFailingService({ dataDir, env: { CONFIG_FILE: file } });
    expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining('config-file-unreadable: ') });
    expect(exit.stderr).toContain('CONFIG_FILE');
    const nothing = await startService({ dataDir });
    expect(await databasesOf(nothing)).toEqual([]);
    await nothing.stop();
  });

  test('is found in its usual place: the example does what it says', async () => {
    await mkdir(join(dataDir, 'config'));
    await copyFile(EXAMPLE, join(dataDir, 'config/config.yaml'));
    const service = await startService({ dataDir });
    expect((await databasesOf(service)).map(({ name }) => name)).toEqual(['articles', 'shop']);
    expect((await schedulesOf(service)).map(({ name }) => name)).toEqual(['default', 'default', 'hourly']);
    expect(
      service
        .logs()
        .filter(({ level }) => level === 'warn')
        .map(({ msg }) => msg),
    ).toContain('a declared database cannot be connected to');
    await service.stop();
    await rm(join(dataDir, 'config/config.yaml'));
    await mkdir(join(dataDir, 'config/config.yaml'));
    const folder = await startFailingService({ dataDir });
    expect(folder.stderr).toContain('config-file-unreadable: ');
  });

  test('goes beyond what the environment says of the same database, and may give it another name', async () => {
    const env = { POSTGRES_HOST: 'db.example.com', POSTGRES_DB: 'shop' };
    const merged = await withFile(
      'databases: [{name: shop, interval_hours: 6, port: 5433}]',
      databasesOf,
      env,
    );
    expect(merged).toEqual([
      expect.objectContaining({ name: 'shop', host: 'db.example.com', port: 5433, interval_hours: 6 }),
    ]);
    const before = rows();
    await withFile('databases: [{name: shop, interval_hours: 6, port: 5433}]', databasesOf, env);
    expect(rows()).toEqual(before);
    await rm(join(dataDir, 'data'), { recursive: true });
    const renamed = await withFile(`databases: [{${SHOP.replace('shop', 'mine')}}]`, databasesOf, env);
    expect(renamed.map(({ name }) => name)).toEqual(['mine']);
  });

  test('with faults keeps the databases of the environment from being registered too', async () => {
    const env = { POSTGRES_HOST: 'db.example.com', POSTGRES_DB: 'shop' };
    await refused('databases: [{name: fresh}]', env);
    expect(rows()['databases']).toEqual([]);
  });

  test('is applied to a catalog in PostgreSQL, by two services at once as well', async () => {
    const catalog = await freshDatabase(server, 'declared');
    const { username, password, host, port } = server;
    const env = {
      CONFIG_FILE: file,
      DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
    };
    const names = Array.from({ length: 20 }, (_, index) => `d${String(index).padStart(2, '0')}`);
    await writeFile(
      file,
      `databases:\n${names.map((name) => `  - {${SHOP.replace('shop', name)}, interval_hours: 6}\n`).join('')}`,
    );
    // The tables are there before the two meet.
    await (await startService({ env: { DATABASE_URL: env.DATABASE_URL } })).stop();
    const services = await Promise.all([startService({ env }), startService({ env })]);
    const [one, other] = await Promise.all(services.map(databasesOf));
    expect(one?.map(({ name }) => name)).toEqual(names);
    expect(other).toEqual(one);
    await Promise.all(services.map((service) => service.stop()));
    const again = await startService({ env });
    expect(await databasesOf(again)).toEqual(one);
    await again.stop();
    await catalog.drop();
  });
});

/** A certificate that is its own authority, with its key, in PEM. */
async function selfSigned(): Promise<{ ca: string; cert: string; key: string }> {
  const [key, cert] = [join(dataDir, 'key.pem'), join(dataDir, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -keyout ${key} -out ${cert}`;
  await promisify(execFile)('openssl', words.split(' '));
  const text = await readFile(cert, 'utf8');
  return { ca: text, cert: text, key: await readFile(key, 'utf8') };
}
