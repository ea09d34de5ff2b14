import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { freshDatabase, postgresServers, sql } from './postgres-servers.ts';

const runFile = promisify(execFile);

describe.each(postgresServers())('PostgreSQL $major of this run', (server) => {
  it('is of the major that it is offered as', async () => {
    const [row] = await sql<{ number: number }>(
      server,
      'postgres',
      `SELECT current_setting('server_version_num')::int / 10000 AS number`,
    );
    expect(row?.number).toBe(server.major);
  });

  it('gives each test a database of its own, whatever its name, and takes it away with its sessions', async () => {
    const first = await freshDatabase(server, 'Müller\'s "shop" -x');
    await using second = await freshDatabase(server, 'Müller\'s "shop" -x');
    expect(second.name).not.toBe(first.name);
    await sql(server, first.name, 'CREATE TABLE t (n int); INSERT INTO t VALUES (7)');
    expect(await sql(server, first.name, 'SELECT n FROM t WHERE n = $1', [7])).toEqual([{ n: 7 }]);
    await first.drop();
    await first.drop();
    const left = await sql(server, 'postgres', 'SELECT 1 FROM pg_database WHERE datname = $1', [first.name]);
    expect(left).toEqual([]);
  });

  it('comes with client tools that find one another', async () => {
    expect(server.clientBinDirs.length).toBeGreaterThan(0);
    for (const folder of server.clientBinDirs) {
      const { stdout } = await runFile(`${folder}/pg_dumpall`, ['--version']);
      expect(stdout).toMatch(/^pg_dumpall \(PostgreSQL\) \d+/);
    }
    const newest = server.clientBinDirs.at(-1) ?? '';
    const env = { PGPASSWORD: server.password };
    const args = ['-h', server.host, '-p', String(server.port), '-U', server.username, '--globals-only'];
    const { stdout } = await runFile(`${newest}/pg_dumpall`, [...args, '-l', 'postgres'], { env });
    expect(stdout).toContain('CREATE ROLE backstop');
  });
});
