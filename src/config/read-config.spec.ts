import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConfigInvalidError } from './config.errors.js';
import { envBindingsOf } from './from-env.js';
import { Config } from './config.js';
import { Environment } from './environment.js';
import { readConfig } from './read-config.js';

/** The names of the variables about which `readConfig` complains, in its order. */
function complaints(variables: Record<string, string>): string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.problems.map(({ name }) => name);
    throw error;
  }
  return [];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this text; gives its path. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('reading the configuration', () => {
  it('has a working default for everything', () => {
    expect(readConfig({})).toMatchObject({
      port: 8000,
      host: '127.0.0.1',
      databasePath: resolve('data/backup.db'),
      databaseUrl: null,
      backupDir: resolve('data/backups'),
      secretKeyPath: resolve('data/secret.key'),
      maxConcurrentBackups: 2,
      shutdownGraceSeconds: 30,
      backupTimeoutSeconds: null,
      timezone: 'UTC',
    });
  });

  it('reads every kind of value', () => {
    const config = readConfig({
      PORT: '0',
      BACKUP_DIR: 'here',
      PG_BIN_DIRS: '/usr/lib/postgresql/15/bin:/opt/pg/17/bin:',
      CORS_ORIGINS: 'https://a.example, http://localhost:3000',
      BACKUP_TIMEOUT_SECONDS: '60',
      DATABASE_PATH: '/srv/catalog/backstop.db',
      TIMEZONE: 'Europe/Berlin',
    });
    expect(config).toMatchObject({
      port: 0,
      backupDir: resolve('here'),
      pgBinDirs: ['/usr/lib/postgresql/15/bin', '/opt/pg/17/bin'],
      corsOrigins: ['https://a.example', 'http://localhost:3000'],
      backupTimeoutSeconds: 60,
      secretKeyPath: '/srv/catalog/secret.key',
      timezone: 'Europe/Berlin',
    });
  });

  it('gives each catalog a work folder of its own below WORK_DIR', () => {
    const one = readConfig({ WORK_DIR: '/tmp', DATABASE_PATH: '/srv/one.db' }).workDir;
    const two = readConfig({ WORK_DIR: '/tmp', DATABASE_PATH: '/srv/two.db' }).workDir;
    expect(one).toMatch(/^\/tmp\/backstop-[0-9a-f]{12}$/);
    expect(two).not.toBe(one);
    expect(readConfig({ WORK_DIR: '/tmp', DATABASE_PATH: '/srv/one.db' }).workDir).toBe(one);
  });

  it('cannot be changed afterwards', () => {
    const config = readConfig({ PG_BIN_DIRS: '/a' });
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.pgBinDirs, { 0: '/b' })).toThrow(TypeError);
  });

  it.each([
    ['PORT', ['65536', '-1', '80a', '0x50', '8e3', ' 80', '1.5']],
    ['LOG_LEVEL', ['INFO', 'verbose']],
    ['MAX_CONCURRENT_BACKUPS', ['0', '65', 'two']],
    ['MAX_CONCURRENT_PER_HOST', ['0']],
    ['CORS_ORIGINS', ['localhost', 'https://a.example/path', '*, nonsense']],
    ['SHUTDOWN_GRACE_SECONDS', ['-1', '86401']],
    ['BACKSTOP_SECRET_KEY', ['too short']],
    ['DATABASE_URL', ['mysql://a/b', 'postgres://', 'localhost']],
    ['TIMEZONE', ['Mars/Olympus', 'CEST?']],
    ['LEASE_SECONDS', ['1']],
    ['BACKUP_MAX_ATTEMPTS', ['0']],
    ['RETRY_BACKOFF_SECONDS', ['-1']],
    ['BACKUP_TIMEOUT_SECONDS', ['0', 'never']],
    ['STALL_SECONDS', ['0']],
  ])('complains about a wrong %s', (name, values) => {
    for (const value of values) expect(complaints({ [name]: value }), value).toEqual([name]);
  });

  it('reports every problem in one message, by name and with the value', () => {
    const wrong = {
      PORT: 'http',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://u:not-a-secret@h/d',
      STALL_SECONDS: '0',
    };
    expect(complaints(wrong)).toEqual(['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'STALL_SECONDS']);
    const read = (): Config => readConfig(wrong);
    expect(read).toThrow(/^4 settings are wrong:\n {2}PORT .*, not "http"\n {2}LOG_LEVEL .*, not "loud"\n/);
    expect(read).not.toThrow(/not-a-secret/);
  });

  it('refuses two places for one catalog', () => {
    expect(complaints({ DATABASE_URL: 'postgres://u:p@h/d', DATABASE_PATH: 'x.db' })).toEqual([
      'DATABASE_URL',
    ]);
    expect(complaints({ DATABASE_URL: 'postgres://u:p@h/d' })).toEqual([]);
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.fromEntries(envBindingsOf(Config).map(({ name }) => [name, '']));
    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  it('takes any value from a file', () => {
    const port = file('port', '8123\n');
    const key = file('key', 'a long enough key, and obviously fake \r\n');
    expect(readConfig({ PORT_FILE: port, BACKSTOP_SECRET_KEY_FILE: key })).toMatchObject({
      port: 8123,
      secretKey: 'a long enough key, and obviously fake ',
    });
    expect(complaints({ PORT_FILE: port, PORT: '1' })).toEqual(['PORT']);
    expect(complaints({ PORT_FILE: join(folder, 'absent') })).toEqual(['PORT']);
    expect(complaints({ PORT_FILE: folder })).toEqual(['PORT']);
  });
});

describe('the environment', () => {
  it('gives a variable or its file, read anew each time', () => {
    const path = file('password', 'first');
    const environment = new Environment({ USER_VAR: 'backup', PASSWORD_VAR_FILE: path, EMPTY: '' });
    expect(environment.get('USER_VAR')).toBe('backup');
    expect(environment.get('PASSWORD_VAR')).toBe('first');
    writeFileSync(path, 'second\n');
    expect(environment.get('PASSWORD_VAR')).toBe('second');
    expect(environment.get('EMPTY')).toBeUndefined();
    expect(environment.get('ABSENT')).toBeUndefined();
  });

  it.each(['BACKSTOP_SECRET_KEY', 'BACKSTOP_SECRET_KEY_FILE', 'DATABASE_URL'])(
    'does not give %s away as a credential',
    (name) => {
      const environment = new Environment({ [name]: 'not-a-secret' });
      expect(() => environment.get(name)).toThrow(expect.objectContaining({ code: 'variable-reserved' }));
    },
  );

  it('says which variable cannot be read', () => {
    const environment = new Environment({ A_FILE: join(folder, 'absent'), B: '1', B_FILE: '2' });
    for (const variable of ['A', 'B']) {
      expect(() => environment.get(variable)).toThrow(
        expect.objectContaining({ code: 'variable-unreadable', facts: { variable } }),
      );
    }
  });

  it('passes no secret on to children', () => {
    const environment = new Environment({ PATH: '/bin', HOME: '/root', PGPASSWORD: 'x', AWS_SECRET: 'y' });
    expect(environment.forChildren()).toEqual({ PATH: '/bin', HOME: '/root' });
  });
});
