import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect } from 'vitest';

import { decodeManifest } from '../../src/archive/manifest-codec.ts';
import { MARK_KEY } from '../../src/storage/marked-storage.ts';
import { newestPostgresServer, sql } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { databasesLike, dropDatabasesLike, type RestoreBody, workFiles } from '../support/restores.ts';
import {
  processesOf,
  type Service,
  ServiceEndedError,
  type ServiceExit,
  startService,
} from '../support/service.ts';
import { type BackupBody, completedBackup, register } from '../support/shop.ts';
import { until } from '../support/until.ts';
import type { VerificationBody } from '../support/verifications.ts';
import { aim, aimAtRandom, disarm, reachedPoints, type Strike, strikeEnv } from './strike.ts';

/** Some 3 MB that do not compress well: `pg_dump` is still at work while the first bytes are stored. */
const TABLES = `
  CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE bulk (id serial PRIMARY KEY, noise text NOT NULL);
  CREATE INDEX bulk_noise ON bulk (left(noise, 8));
  INSERT INTO items SELECT i, 'Ding Ä ' || i FROM generate_series(1, 500) i;
  INSERT INTO bulk (noise) SELECT string_agg(md5(i || '-' || j), '') FROM generate_series(1, 3000) i, generate_series(1, 32) j GROUP BY i;`;
export const BULK_ROWS = 3_000;

/** From a death to the state in which nothing more happens. */
const SETTLED_WITHIN_MS = 180_000;
/** From SIGTERM to the end, without a grace time. An abort takes five seconds at most, on a machine that has its CPU for itself. */
const STOPPED_WITHIN_MS = 60_000;

/**
 * One data folder with a service that dies again and again, and the databases that it protects: `shop` and `copy`, with the
 * same content. Its role on the server is its own, so that every session there that is the service's can be told.
 */
export class CrashWorld implements AsyncDisposable {
  readonly #server: PostgresServer;
  readonly #prefix: string;
  readonly #env: Record<string, string>;
  readonly dataDir: string;
  readonly backups: Record<'shop' | 'copy', BackupBody>;
  #service: Service;
  #isAlive = true;
  /** Databases that `tidy` has dropped although a restore had made them. */
  readonly #dropped = new Set<string>();

  private constructor(made: Made, service: Service, backups: Record<'shop' | 'copy', BackupBody>) {
    this.#server = made.server;
    this.#prefix = made.prefix;
    this.#env = made.env;
    this.dataDir = made.dataDir;
    this.#service = this.#use(service);
    this.backups = backups;
  }

  /** A running service with one good backup of each database. */
  static async make(settings: Record<string, string> = {}): Promise<CrashWorld> {
    const server = newestPostgresServer();
    const prefix = `crash_${randomBytes(4).toString('hex')}`;
    const dataDir = await mkdtemp(join(tmpdir(), 'backstop-crash-'));
    const env = {
      PG_BIN_DIRS: server.clientBinDirs.join(':'),
      RETRY_BACKOFF_SECONDS: '0',
      BACKUP_MAX_ATTEMPTS: '100',
      SHUTDOWN_GRACE_SECONDS: '0',
      MAX_CONCURRENT_BACKUPS: '4',
      MAX_CONCURRENT_PER_HOST: '4',
      ...strikeEnv(dataDir),
      ...settings,
    };
    await sql(server, 'postgres', `CREATE ROLE ${prefix} SUPERUSER LOGIN PASSWORD '${server.password}'`);
    await sql(server, 'postgres', `CREATE DATABASE ${prefix}_shop`);
    await sql(server, `${prefix}_shop`, TABLES);
    await sql(server, 'postgres', `CREATE DATABASE ${prefix}_copy TEMPLATE ${prefix}_shop`);
    const service = await startService({ env, dataDir });
    const known = { ...server, username: prefix };
    await register(service, known, `${prefix}_shop`, 'shop');
    await register(service, known, `${prefix}_copy`, 'copy');
    await register(service, known, `${prefix}_missing`, 'broken');
    const backups = {
      shop: await completedBackup(service, 'shop'),
      copy: await completedBackup(service, 'copy'),
    };
    return new CrashWorld({ server, prefix, env, dataDir }, service, backups);
  }

  get service(): Service {
    return this.#service;
  }

  get server(): PostgresServer {
    return this.#server;
  }

  databaseName(name: 'shop' | 'copy'): string {
    return `${this.#prefix}_${name}`;
  }

  /** Does something in the course of which the service ends itself at a point, and resolves with how it ended. */
  async struckIn(strike: Strike, act: (service: Service) => Promise<unknown>): Promise<ServiceExit> {
    await aim(this.dataDir, strike);
    // The answer may be cut off by the death.
    const acting = act(this.#service).catch((error: unknown) => error);
    const exit = await this.#deathAt(strike);
    await acting;
    return exit;
  }

  /** Starts the dead service with an aim: it ends itself again while it recovers. */
  async struckInRecovery(strike: Strike): Promise<ServiceExit> {
    await aim(this.dataDir, strike);
    // It may die before it listens, or after; both are how it is meant.
    const started = await startService({ env: this.#env, dataDir: this.dataDir }).catch(exitOf);
    if ('code' in started) {
      expect(await reachedPoints(this.dataDir)).toContain(strike.point);
      return started;
    }
    this.#service = this.#use(started);
    return this.#deathAt(strike);
  }

  /** Lets the service do something, after it was started when it is dead; it dies so long after its first step. */
  async dieAfter(ms: number, act: (service: Service) => Promise<unknown>): Promise<void> {
    await aimAtRandom(this.dataDir, ms);
    if (!this.#isAlive) {
      const started = await startService({ env: this.#env, dataDir: this.dataDir }).catch(() => undefined);
      if (started === undefined) return; // before it listened
      this.#service = this.#use(started);
    }
    await act(this.#service).catch((error: unknown) => error);
    await this.#endWithin(SETTLED_WITHIN_MS);
  }

  async kill(): Promise<void> {
    await this.#service.stop('SIGKILL');
  }

  /** Starts the service again; nobody strikes it. */
  async revive(): Promise<void> {
    await disarm(this.dataDir);
    this.#service = this.#use(await startService({ env: this.#env, dataDir: this.dataDir }));
  }

  #use(started: Service): Service {
    this.#isAlive = true;
    void started.ended.then(() => (this.#isAlive = false));
    return started;
  }

  async backup(id: string): Promise<BackupBody> {
    return (await this.#service.request<BackupBody>('GET', `/backups/${id}`)).body;
  }

  async allBackups(): Promise<BackupBody[]> {
    return (await this.#service.request<BackupBody[]>('GET', '/backups?limit=200')).body;
  }

  async allRestores(): Promise<RestoreBody[]> {
    return (await this.#service.request<RestoreBody[]>('GET', '/restores?limit=200')).body;
  }

  /**
   * Waits until nothing waits or runs any more, and demands that nothing is left of the dead: no row is stuck, the folder
   * holds the archives of completed backups, whole, and nothing else; no process, no temporary file, no session, no
   * replication slot, and no database but those that completed restores have made.
   * @param alsoFine in which other states than well work may have ended
   */
  async expectWhole(...alsoFine: ('failed' | 'cancelled')[]): Promise<void> {
    await this.#untilSettled(alsoFine);
    expect(await this.#strayProcesses(), 'processes').toEqual([]);
    await this.#expectArchivesIntact();
    expect(await workFiles(this.dataDir), 'temporary files').toEqual([]);
    await this.expectNoSessions();
    await this.#expectNoOtherDatabases();
  }

  /**
   * What must hold at every moment, with nobody alive to put it right: a manifest lies only beside an archive that is whole, and
   * is what it says. A person who has nothing but this folder trusts it.
   */
  async expectManifestsTrue(): Promise<void> {
    const folder = join(this.dataDir, 'data', 'backups');
    const names = await readdir(folder, { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.manifest.json'))) {
      const { parts } = decodeManifest(await readFile(join(folder, name), 'utf8'));
      for (const { filename, stored } of parts) {
        const path = join(folder, dirname(name), filename);
        expect(await sha256Of(path).catch(() => 'missing'), `${filename}, with its manifest`).toBe(
          stored.sha256,
        );
      }
    }
  }

  /** What a stop, other than a death, must not leave even for a moment: the service is down, and has cleaned up itself. */
  async expectStoppedCleanly(): Promise<void> {
    expect(await processesOf(this.dataDir), 'processes').toEqual([]);
    expect(await workFiles(this.dataDir), 'temporary files').toEqual([]);
    const names = await readdir(join(this.dataDir, 'data', 'backups'), { recursive: true });
    expect(
      names.filter((name) => name.endsWith('.partial')),
      'parts',
    ).toEqual([]);
    await this.expectNoSessions();
  }

  /** A server notices a moment later that a client is gone. */
  async expectNoSessions(): Promise<void> {
    const remaining = (): Promise<unknown[]> =>
      sql(
        this.#server,
        'postgres',
        `SELECT application_name, state, query FROM pg_stat_activity WHERE usename = $1
         UNION ALL SELECT slot_name, 'slot', plugin FROM pg_replication_slots WHERE starts_with(database, $1)`,
        [this.#prefix],
      );
    let last: unknown[] = [];
    await until('the sessions on the server to end', async () => {
      last = await remaining();
      return last.length === 0;
    }).catch(() => expect(last, 'sessions and slots').toEqual([]));
  }

  /** Processes of this folder that are not the living service. */
  async #strayProcesses(): Promise<string[]> {
    const all = await processesOf(this.dataDir);
    return all.filter((line) => !line.startsWith(`${this.#service.pid} `));
  }

  /** Removes what tests have made besides the first two backups, so that a long run stays as quick as a short one. */
  async tidy(): Promise<void> {
    const kept = new Set(Object.values(this.backups).map(({ id }) => id));
    for (const { id, status } of await this.allBackups()) {
      if (kept.has(id) || status === 'expired') continue;
      await this.#service.request('DELETE', `/backups/${id}?force=true`);
    }
    const ours = [this.databaseName('shop'), this.databaseName('copy')];
    for (const name of await databasesLike(this.#server, this.#prefix)) {
      if (!ours.includes(name)) {
        await sql(this.#server, 'postgres', `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
        this.#dropped.add(name);
      }
    }
  }

  async #untilSettled(alsoFine: readonly string[]): Promise<void> {
    const waiting = (): Promise<Row[]> => this.#rowsIn('queued', 'running', 'expiring');
    await until(
      'nothing to wait or run',
      async () => (await waiting()).length === 0,
      SETTLED_WITHIN_MS,
    ).catch(async () => expect(await waiting(), 'rows that are stuck').toEqual([]));
    const bad = ['failed', 'cancelled'].filter((status) => !alsoFine.includes(status));
    const ended = await this.#rowsIn(...bad);
    const failed = ended.filter((row) => !('database_name' in row) || row.database_name !== 'broken');
    expect(failed, 'work that did not go on after its interruption').toEqual([]);
  }

  /** Backups, restores and verifications. Asked for by status, because a long run leaves hundreds that have ended. */
  async #rowsIn(...statuses: string[]): Promise<Row[]> {
    if (statuses.length === 0) return [];
    const found = await Promise.all(
      ['backups', 'restores', 'verifications'].map(async (kind) => {
        // Only a backup is ever `expiring`.
        const asked = statuses.filter((status) => kind === 'backups' || status !== 'expiring');
        const query = asked.map((status) => `status=${status}`).join('&');
        return (await this.#service.request<Row[]>('GET', `/${kind}?limit=200&${query}`)).body;
      }),
    );
    return found.flat();
  }

  async #expectArchivesIntact(): Promise<void> {
    const folder = join(this.dataDir, 'data', 'backups');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && entry.name !== MARK_KEY)
      .map((entry) => join(entry.parentPath, entry.name));
    const completed = (await this.allBackups()).filter(({ status }) => status === 'completed');
    const expected = completed.flatMap(({ copies }) =>
      copies.flatMap(({ key }) => [join(folder, key), join(folder, `${key}.manifest.json`)]),
    );
    expect(files.toSorted(), 'files in the folder of backups').toEqual(expected.toSorted());
    for (const { copies, sha256, id } of completed) {
      expect(await sha256Of(join(folder, copies[0]?.key ?? '')), `archive of ${id}`).toBe(sha256);
    }
    expect(
      completed.map(({ id }) => id),
      'the good backups from before',
    ).toEqual(expect.arrayContaining(Object.values(this.backups).map(({ id }) => id)));
  }

  async #expectNoOtherDatabases(): Promise<void> {
    const completed = (await this.allRestores()).filter(({ status }) => status === 'completed');
    const made = completed.flatMap(({ target, kept_as: keptAs }) => [target.database_name, keptAs]);
    const all = new Set([this.databaseName('shop'), this.databaseName('copy'), ...made]);
    const expected = [...all].filter((name) => name !== null).filter((name) => !this.#dropped.has(name));
    const found = await databasesLike(this.#server, this.#prefix);
    expect(found, 'databases').toEqual(expected.sort());
    for (const name of found) {
      const [row] = await sql<{ n: number }>(this.#server, name, 'SELECT count(*)::int AS n FROM bulk');
      expect(row?.n, `rows in ${name}`).toBe(BULK_ROWS);
    }
  }

  async #deathAt({ point, signal }: Strike): Promise<ServiceExit> {
    const isThere = (): Promise<boolean> =>
      reachedPoints(this.dataDir).then((points) => points.includes(point));
    await until(`the service to reach ${point}`, isThere, SETTLED_WITHIN_MS);
    if (signal !== 'SIGKILL') return this.#endWithin(STOPPED_WITHIN_MS);
    const exit = await this.#service.stop('SIGKILL');
    expect((await reachedPoints(this.dataDir)).at(-1), 'the last point before the death').toBe(point);
    return exit;
  }

  async #endWithin(ms: number): Promise<ServiceExit> {
    let exit: ServiceExit | undefined;
    void this.#service.ended.then((ended) => (exit = ended));
    return until('the service to end', () => exit, ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.stop('SIGKILL');
    for (const line of await processesOf(this.dataDir)) {
      try {
        process.kill(Number.parseInt(line, 10), 'SIGKILL');
      } catch {
        // it has just ended by itself
      }
    }
    await dropDatabasesLike(this.#server, this.#prefix);
    await sql(this.#server, 'postgres', `DROP ROLE IF EXISTS ${this.#prefix}`);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

type Row = BackupBody | RestoreBody | VerificationBody;

interface Made {
  server: PostgresServer;
  prefix: string;
  env: Record<string, string>;
  dataDir: string;
}

/** How a service ended that did not get as far as to listen. */
function exitOf(error: unknown): ServiceExit {
  if (error instanceof ServiceEndedError) return error.exit;
  throw error;
}
