import type {
  Connection,
  DropOptions,
  EngineCall,
  EngineDatabases,
  NewDatabase,
  SessionReport,
  SwapNames,
} from '../engine.js';
import { PermissionDeniedError } from '../engines.errors.js';
import { DatabaseInUseError, ServerTooOldError, TargetDatabaseExistsError } from '../tools.errors.js';
import { DatabaseAbsentError } from '../engines.errors.js';
import { LocaleUnavailableError } from './postgres.errors.js';
import { PostgresCall, type PostgresSurroundings } from './postgres-call.js';
import { swapNames } from './database-swap.js';
import { identifier, literal, type PostgresSession } from './postgres-session.js';
import type { PostgresDetails } from './server-facts.js';
import { dropUnusedSubscriptions, hasSubscriptions } from './subscriptions.js';

/** Databases that every server has and everybody may connect to; used where the connection's own does not exist. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'];

/** Whole databases of a PostgreSQL server. */
export class PostgresDatabases implements EngineDatabases {
  readonly #surroundings: PostgresSurroundings;

  constructor(surroundings: PostgresSurroundings) {
    this.#surroundings = surroundings;
  }

  exists(connection: Connection, name: string, call: EngineCall): Promise<boolean> {
    return this.#withSession(
      connection,
      [],
      call,
      async (session) => (await idOf(session, name)) !== undefined,
    );
  }

  create(connection: Connection, name: string, { like }: NewDatabase, call: EngineCall): Promise<void> {
    return this.#withSession(connection, [name], call, async (session) => {
      const { major, may_create: mayCreate } = await session.one<{ major: number; may_create: boolean }>(
        `SELECT current_setting('server_version_num')::int / 10000 AS major, rolcreatedb OR rolsuper AS may_create
           FROM pg_catalog.pg_roles WHERE rolname = current_user`,
      );
      if (major < like.major) throw new ServerTooOldError(major, like.major);
      if ((await idOf(session, name)) !== undefined) throw new TargetDatabaseExistsError(name);
      if (!mayCreate)
        throw new PermissionDeniedError(connection.username, 'create databases: it needs CREATEDB');
      await createFromTemplate(session, name, like.details, major);
    });
  }

  /** A fresh database has the attempt in its name, and needs no other mark. */
  async release(): Promise<void> {
    // See above.
  }

  drop(connection: Connection, name: string, options: DropOptions, call: EngineCall): Promise<void> {
    return this.#withSession(connection, [name], call, async (session) => {
      if ((await idOf(session, name)) === undefined) return;
      await mustBeUnused(session, name, options.endSessions);
      if (await hasSubscriptions(session, name)) await this.#dropSubscriptions(connection, name, call);
      await session.query(`DROP DATABASE IF EXISTS ${identifier(name)}`);
    });
  }

  sessions(connection: Connection, name: string, call: EngineCall): Promise<SessionReport[]> {
    return this.#withSession(connection, [name], call, (session) => readSessions(session, name));
  }

  rename(connection: Connection, name: string, newName: string, call: EngineCall): Promise<void> {
    return this.#withSession(connection, [name, newName], call, async (session) => {
      if ((await idOf(session, name)) === undefined) throw new DatabaseAbsentError(connection, name);
      if ((await idOf(session, newName)) !== undefined) throw new TargetDatabaseExistsError(newName);
      await mustBeUnused(session, name, false);
      await session.query(`ALTER DATABASE ${identifier(name)} RENAME TO ${identifier(newName)}`);
    });
  }

  /**
   * Two renames in one transaction: they are rows of one catalog, so that others see both or none. The database that the
   * session is in cannot be renamed, hence the maintenance database. Whoever connects to `live` at that moment makes the
   * rename fail, and with it the transaction.
   */
  swap(
    connection: Connection,
    names: SwapNames,
    options: { endSessions: boolean },
    call: EngineCall,
  ): Promise<void> {
    return this.#withSession(connection, [names.live, names.fresh, names.keepAs], call, async (session) => {
      for (const name of [names.live, names.fresh]) {
        if ((await idOf(session, name)) === undefined) throw new DatabaseAbsentError(connection, name);
      }
      if ((await idOf(session, names.keepAs)) !== undefined)
        throw new TargetDatabaseExistsError(names.keepAs);
      await mustBeUnused(session, names.fresh, true);
      await mustBeUnused(session, names.live, options.endSessions);
      try {
        await swapNames(session, names);
      } catch (error) {
        if (!(error instanceof DatabaseInUseError)) throw error;
        throw new DatabaseInUseError(names.live, await readSessions(session, names.live));
      }
    });
  }

  /** Every server renames databases. */
  checkSwap(): Promise<void> {
    return Promise.resolve();
  }

  /** Nobody but a swap makes a database of the name that was kept free for the old one, and a swap is one transaction. */
  async settleSwap(
    connection: Connection,
    { live, fresh, keepAs }: Omit<SwapNames, 'keepAs'> & { keepAs: string | null },
    call: EngineCall,
  ): Promise<'swapped' | 'untouched'> {
    const exists = (name: string): Promise<boolean> => this.exists(connection, name, call);
    const happened = keepAs === null ? !(await exists(fresh)) && (await exists(live)) : await exists(keepAs);
    return happened ? 'swapped' : 'untouched';
  }

  /** Subscriptions can be dropped from within their database only. */
  async #dropSubscriptions(connection: Connection, name: string, engineCall: EngineCall): Promise<void> {
    await using call = new PostgresCall(
      { ...connection, databaseName: name },
      engineCall,
      this.#surroundings,
    );
    const session = await call.session();
    call.finish();
    await dropUnusedSubscriptions(session);
  }

  /** Runs `work` in a session that is in none of `avoid`, because a database in use can be neither renamed nor dropped. */
  async #withSession<T>(
    connection: Connection,
    avoid: readonly string[],
    engineCall: EngineCall,
    work: (session: PostgresSession) => Promise<T>,
  ): Promise<T> {
    const candidates = [connection.databaseName, ...MAINTENANCE_DATABASES].filter(
      (name) => !avoid.includes(name),
    );
    let absent: unknown;
    for (const databaseName of candidates) {
      await using call = new PostgresCall({ ...connection, databaseName }, engineCall, this.#surroundings);
      let session: PostgresSession;
      try {
        session = await call.session();
      } catch (error) {
        if (!(error instanceof DatabaseAbsentError)) throw error;
        absent = error;
        continue;
      } finally {
        call.finish(); // sessions here run short statements; none outlives its client
      }
      return await work(session);
    }
    throw absent;
  }
}

async function idOf(session: PostgresSession, name: string): Promise<number | undefined> {
  const [row] = await session.query<{ oid: string }>(
    'SELECT oid::text FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
  );
  return row === undefined ? undefined : Number(row.oid);
}

async function createFromTemplate(
  session: PostgresSession,
  name: string,
  like: Partial<PostgresDetails>,
  major: number,
): Promise<void> {
  const parts = [`CREATE DATABASE ${identifier(name)} TEMPLATE template0`];
  if (like.encoding !== undefined) parts.push(`ENCODING ${literal(like.encoding)}`);
  const usesProvider = major >= 15 && like.locale_provider !== undefined;
  if (usesProvider) parts.push(`LOCALE_PROVIDER ${identifier(like.locale_provider ?? 'libc')}`);
  if (like.collate !== undefined) parts.push(`LC_COLLATE ${literal(like.collate)}`);
  if (like.ctype !== undefined) parts.push(`LC_CTYPE ${literal(like.ctype)}`);
  if (usesProvider && typeof like.locale === 'string' && like.locale_provider !== 'libc') {
    parts.push(`${like.locale_provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${literal(like.locale)}`);
    if (like.locale_provider === 'icu' && typeof like.icu_rules === 'string') {
      parts.push(`ICU_RULES ${literal(like.icu_rules)}`);
    }
  }
  try {
    await session.query(parts.join(' '));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/locale|encoding|collation|LC_|ICU/i.test(reason) && !/permission denied/.test(reason)) {
      const wanted = `encoding ${like.encoding ?? '?'}, collation ${like.collate ?? '?'} (${like.locale_provider ?? 'libc'})`;
      throw new LocaleUnavailableError(name, wanted, reason, error);
    }
    if (/already exists/.test(reason)) throw new TargetDatabaseExistsError(name); // somebody was faster
    throw error;
  }
}

async function readSessions(session: PostgresSession, name: string): Promise<SessionReport[]> {
  return await session.query<{ user: string; application: string; client: string; count: number }>(
    `SELECT coalesce(usename, '') AS "user", coalesce(application_name, '') AS application,
            coalesce(client_addr::text, 'local') AS client, count(*)::int AS count
       FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
      GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3`,
    [name],
  );
}

async function mustBeUnused(session: PostgresSession, name: string, endSessions: boolean): Promise<void> {
  const others = await readSessions(session, name);
  if (others.length === 0) return;
  if (!endSessions) throw new DatabaseInUseError(name, others);
  // Waits until each is really gone, because the rename that follows does not wait.
  await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'`,
    [name],
  );
}
