import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { backstop, CLI, type CliResult } from '../support/cli.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { dropDatabasesLike } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { freshShop, holdTable } from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let folder: string;

beforeAll(async () => {
  shop = await freshShop(server);
  folder = await mkdtemp(join(tmpdir(), 'backstop-cli-'));
  const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), BACKUP_MAX_ATTEMPTS: '1' };
  service = await startService({ env });
});
afterAll(async () => {
  await service?.stop();
  await dropDatabasesLike(server, shop.name);
  await rm(folder, { recursive: true, force: true });
});

const run = (line: string, input?: string): Promise<CliResult> =>
  backstop(line.split(' '), {
    env: { BACKSTOP_URL: service.url },
    cwd: folder,
    ...(input === undefined ? {} : { input }),
  });

async function json<T>(line: string): Promise<T> {
  const { code, stdout, stderr } = await run(`--json ${line}`);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Backup {
  id: string;
  status: string;
  filename: string;
  sha256: string;
  locked: boolean;
  description: string;
}

describe('the command line', () => {
  test('registers a database, with a password that is on no command line', async () => {
    const add = `databases add shop --engine postgres --host ${server.host} --port ${server.port} --database-name ${shop.name} --username ${server.username}`;
    const added = await run(`${add} --password`, `${server.password}\n`);
    expect(added.stderr).toBe('');
    expect(added.stdout).toContain('shop is registered as ');
    await writeFile(join(folder, 'password'), `${server.password}\n`);
    const again = await run(`${add.replace(' shop ', ' second ')} --password-file password`);
    expect(again.code).toBe(0);
    expect((await run('databases test second')).stdout).toContain('version');
    expect((await run('databases list')).stdout).toMatch(/^NAME +ENGINE .*\nsecond .*\nshop /);
    const refused = await run('databases remove second');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--yes');
    expect((await run('databases remove second --yes')).code).toBe(0);
    expect((await json<{ name: string }[]>('databases list')).map(({ name }) => name)).toEqual(['shop']);
  });

  test('makes a backup, waits for it, finds it and looks into it', async () => {
    const made = await json<Backup>('create --description nightly --wait');
    expect(made).toMatchObject({ status: 'completed', description: 'nightly' });
    const listed = await run('list');
    expect(listed.stdout).toContain(made.filename);
    expect(await json<Backup>(`backups show ${made.filename}`)).toMatchObject({ id: made.id });
    expect((await run(`backups contents ${made.id}`)).stdout).toMatch(/public\.orders +2000/);
    expect((await json<{ total_backups: number }>('status')).total_backups).toBe(1);
    expect((await run('stats')).stdout).toMatch(/shop +1 +0 /);
  });

  test('downloads an archive byte for byte, and overwrites nothing', async () => {
    const [backup] = await json<Backup[]>('list');
    const answer = await fetch(`${service.url}/backups/${backup!.id}/download`);
    expect((await run(`backups download ${backup!.id}`)).code).toBe(0);
    const stored = await readFile(join(folder, backup!.filename));
    expect(stored.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
    const again = await run(`backups download ${backup!.id}`);
    expect(again).toMatchObject({ code: 3, stderr: `${backup!.filename} is there already.\n` });
    expect((await readFile(join(folder, backup!.filename))).equals(stored)).toBe(true);
  });

  test('keeps no archive whose bytes are not those that the service announced', async () => {
    const place = await mkdtemp(join(folder, 'other-bytes-'));
    const other = createServer((request, response) => {
      const isDownload = request.url?.endsWith('/download') === true;
      response.setHeader('content-type', isDownload ? 'application/octet-stream' : 'application/json');
      response.setHeader('etag', `"${'0'.repeat(64)}"`);
      response.end(isDownload ? 'other bytes' : JSON.stringify({ id: 'x', filename: 'shop.dump.zst' }));
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const asked = await run(`--url ${url} backups download x --output ${join(place, 'shop.dump.zst')}`);
    expect(asked).toMatchObject({ code: 3, stdout: '' });
    expect(asked.stderr).toMatch(/^The download broke off: what came has the SHA-256 .*, and not 0{64}/);
    expect(await readdir(place)).toEqual([]);
    other.close();
  });

  test('shows on a terminal how far a download and a backup are, and in the end the result alone', async (context) => {
    const { stdout: version } = spawnSync('script', ['--version'], { encoding: 'utf8' });
    context.skip(!version?.includes('util-linux'), 'needs the program script of util-linux for a terminal');
    // What a terminal is sent; `script` is one. Where the line is begun anew there is a mark.
    const onTerminal = (line: string): string => {
      const command = `${process.execPath} ${CLI} --url ${service.url} ${line}`;
      const { stdout } = spawnSync('script', ['-qefc', command, '/dev/null'], {
        cwd: folder,
        encoding: 'utf8',
      });
      return stdout.replaceAll('\r\u001B[K', '<anew>');
    };
    const [backup] = await json<Backup[]>('list');
    for (const plain of ['', ' --plain']) {
      const shown = onTerminal(`backups download ${backup!.id} --output on-terminal${plain}`);
      expect(shown).toMatch(/<anew>\[#{24}\] (\d.* [kM]?B) of \1<anew>on-terminal {2}\1\r\n$/);
      await rm(join(folder, 'on-terminal'));
    }
    expect(onTerminal(`backups verify ${backup!.id} --wait`)).toMatch(/<anew>completed<anew>id  .*passed/s);
    expect(onTerminal('create --wait')).toMatch(/<anew>(queued|.*ing .*B|completed)<anew>/);
    const forPrograms = `backups download ${backup!.id} --output on-terminal --json`;
    expect(onTerminal(forPrograms)).not.toContain('<anew>');
  });

  test('leaves nothing under the name of an archive when a download is interrupted', async () => {
    const place = await mkdtemp(join(folder, 'interrupted-'));
    const half = createServer((request, response) => {
      if (!request.url?.endsWith('/download')) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ id: 'x', filename: 'half.dump.zst' }));
        return;
      }
      response.write('the first half'); // and never the second
    }).listen(0, '127.0.0.1');
    await once(half, 'listening');
    const url = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
    const cli = spawn(process.execPath, [CLI, 'backups', 'download', 'x'], {
      cwd: place,
      env: { PATH: process.env['PATH'], BACKSTOP_URL: url },
    });
    await until('the first half to be written', async () => {
      const [name] = await readdir(place);
      return name !== undefined && (await readFile(join(place, name), 'utf8')) === 'the first half';
    });
    expect(await readdir(place)).toEqual(['half.dump.zst.part']);
    cli.kill('SIGINT');
    expect(await once(cli, 'close')).toEqual([130, null]);
    expect(await readdir(place)).toEqual([]);
    half.closeAllConnections();
    half.close();
  });

  test('tells what is no Backstop, and a file that is not there, from work that ended badly', async () => {
    const proxy = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<html>Please log in</html>');
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const asked = await run(`--url ${url} list`);
    expect(asked).toMatchObject({ code: 4, stdout: '' });
    expect(asked.stderr).toContain('is not Backstop, but perhaps a proxy before it: <html>Please log in');
    proxy.close();
    const add = 'databases add x --engine postgres --host h --database-name d --password-file not-there';
    const missing = await run(add);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^--password-file cannot be read: ENOENT/);
  });

  test('verifies, and says by its exit code whether it has passed', async () => {
    const made = await json<Backup>('create --wait');
    const passed = await run(`backups verify ${made.filename} --level intact --wait`);
    expect(passed).toMatchObject({ code: 0, stderr: '' });
    expect(passed.stdout).toMatch(/^status +completed: passed$/m);
    expect(passed.stdout).toMatch(/^level +intact$/m);
    expect(await json(`backups verify ${made.id} --wait`)).toMatchObject({
      outcome: 'passed',
      level_reached: 'readable',
    });
    expect(await json(`backups verify ${made.id}`)).toMatchObject({ status: 'queued', level: 'readable' });
    const archive = join(service.dataDir, 'data', 'backups', 'shop', made.filename);
    await rename(archive, `${archive}.aside`);
    const failed = await run(`backups verify ${made.id} --wait`);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('is failed. archive-missing: ');
    await rename(`${archive}.aside`, archive);
    const impossible = await run(`backups verify ${made.id} --level proven`);
    expect(impossible).toMatchObject({ code: 3, stdout: '' });
    expect(impossible.stderr).toContain('verification-level-unavailable: ');
    expect((await run('backups verify')).code).toBe(2);
    expect((await run('completion bash')).stdout).toMatch(
      /'backups verify'\) words='--level --wait --timeout/,
    );
  });

  test('restores beside, and replaces only when it is told twice', async () => {
    const [backup] = await json<Backup[]>('list');
    const restored = await run(`restore ${backup!.filename}`);
    expect(restored.stdout).toMatch(/ completed: database .*_restored_/);
    const refused = await run(`restore ${backup!.filename} --replace`);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Replace the database shop?');
    const replaced = await run(`restore ${backup!.filename} --replace --yes`);
    expect(replaced).toMatchObject({ code: 0, stderr: '' });
    expect(replaced.stdout).toContain('the old one is kept as');
  });

  test('locks, refuses to delete what is locked, unlocks and deletes', async () => {
    const made = await json<Backup>('create --wait');
    expect(await json<Backup>(`backups lock ${made.id}`)).toMatchObject({ locked: true });
    const refused = await run(`delete ${made.filename} --yes`);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('backup-locked: ');
    expect((await run(`delete ${made.filename}`)).code).toBe(2);
    await json(`backups unlock ${made.id}`);
    expect(await json<Backup>(`delete ${made.filename} --yes`)).toMatchObject({ status: 'expired' });
  });

  test('says by its exit code how the work ended', async () => {
    const release = await holdTable(server, shop.name, 'orders');
    const late = await run('create --wait --timeout 1');
    expect(late.code).toBe(5);
    expect(late.stderr).toContain('it goes on');
    const [backup] = await json<Backup[]>('list --limit 1');
    expect((await run(`backups cancel ${backup!.id}`)).code).toBe(0);
    await release();
    await run(
      `databases add absent --engine postgres --host ${server.host} --port ${server.port} --database-name no_such --username ${server.username} --password`,
      server.password,
    );
    const failed = await run('create absent --wait');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('database-absent');
  });

  test('says what is wrong with the request, the words or the address', async () => {
    expect(await run('backups show nonsense')).toMatchObject({ code: 3, stdout: '' });
    const asJson = await run('--json backups show nonsense');
    expect(JSON.parse(asJson.stdout)).toMatchObject({ code: 'backup-not-found' });
    expect((await run('backups explode')).code).toBe(2);
    expect((await run('create --wait --timeout soon')).code).toBe(2);
    const nobody = await backstop(['status'], { env: { BACKSTOP_URL: 'http://127.0.0.1:9' } });
    expect(nobody.code).toBe(4);
    expect(nobody.stderr).toContain('BACKSTOP_URL');
    expect((await run('--help')).stdout).toContain('databases');
    expect((await run('open')).stdout).toBe(`${service.url}/docs\n`);
  });

  test('checks a configuration file without a service, and says what it cannot check', async () => {
    await writeFile(
      join(folder, 'good.yaml'),
      'databases: [{name: shop, password_var: SHOP_PASSWORD, interval_hours: 6}]',
    );
    const offline = { env: { BACKSTOP_URL: 'http://127.0.0.1:9' }, cwd: folder };
    const good = await backstop(['config', 'check', 'good.yaml'], offline);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toContain('has no fault: 1 database, 0 schedules.');
    expect(good.stdout).toContain('it is good only if "shop" is registered already');
    expect(good.stdout).toContain('SHOP_PASSWORD');
    const asJson = await backstop(['config', 'check', 'good.yaml', '--json'], offline);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ ok: true, databases: 1, faults: [] });
    await writeFile(
      join(folder, 'bad.yaml'),
      'databases:\n  - name: shop\n    password: fake\n    port: 0\n',
    );
    const bad = await backstop(['config', 'check', 'bad.yaml'], offline);
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toMatch(
      /has 2 faults:\n {2}databases\[0\]\.password: .* \(line 3\)\n {2}databases\[0\]\.port: .* \(line 4\)\n$/,
    );
    const badJson = await backstop(['--json', 'config', 'check', 'bad.yaml'], offline);
    expect(badJson.code).toBe(1);
    expect(JSON.parse(badJson.stdout)).toMatchObject({
      ok: false,
      faults: [
        { path: 'databases[0].password', line: 3 },
        { path: 'databases[0].port', line: 4 },
      ],
    });
    expect((await backstop(['config', 'check', 'absent.yaml'], offline)).code).toBe(2);
    expect(await backstop(['config', 'check', '.'], offline)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('config-file-unreadable: '),
    });
  });

  test('completes itself in bash', async () => {
    const { stdout } = await run('completion bash');
    const asked = `${stdout}\nCOMP_WORDS=(backstop backups co); COMP_CWORD=2; _backstop; echo "\${COMPREPLY[@]}"`;
    const bash = spawnSync('bash', ['-c', asked], { encoding: 'utf8' });
    expect(bash.stderr).toBe('');
    expect(bash.stdout.trim()).toBe('contents');
    expect((await run('completion zsh')).stdout).toContain('bashcompinit');
    expect((await run('completion fish')).stdout).toContain('complete -c backstop');
    expect((await run('completion tcsh')).code).toBe(2);
  });
});
