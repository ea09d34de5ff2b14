import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getMetadataArgsStorage } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { Backup } from '../../src/backups/backup.entity.js';
import type { Catalog } from '../../src/catalog/catalog.js';
import { MIGRATIONS } from '../../src/catalog/migrations/all.js';
import { openCatalog } from '../../src/catalog/open-catalog.js';
import { SystemClock } from '../../src/clock/system-clock.js';
import { Environment } from '../../src/config/environment.js';
import { ConnectionOpener } from '../../src/databases/connection-opener.js';
import { DatabaseSecrets } from '../../src/databases/database-secrets.js';
import { EventLog } from '../../src/events/event-log.js';
import { EngineRegistry } from '../../src/engines/engine-registry.js';
import type { Connection } from '../../src/engines/engine.js';
import { PostgresTools } from '../../src/engines/postgres/postgres-tools.js';
import { PostgresEngine } from '../../src/engines/postgres/postgres.engine.js';
import { ToolFinder } from '../../src/process/tool-finder.js';
import { DatabasePlacer } from '../../src/restore/database-placer.js';
import { FreshDatabases } from '../../src/restore/fresh-databases.js';
import { RestoreMoves } from '../../src/restore/restore-moves.js';
import { RestoreSettler } from '../../src/restore/restore-settler.js';
import { RestoreTargets } from '../../src/restore/restore-targets.js';
import { Restore } from '../../src/restore/restore.entity.js';
import { SecretBox } from '../../src/secrets/secret-box.js';
import { deriveSecretKey } from '../../src/secrets/secret-key.js';
import type { PostgresServer } from '../support/postgres-server.ts';

/** The part of the room that changes names on a server, over a catalog of its own and a real engine. */
export interface RestoreBench extends AsyncDisposable {
  catalog: Catalog;
  engine: PostgresEngine;
  placer: DatabasePlacer;
  settler: RestoreSettler;
  moves: RestoreMoves;
  /** Puts a restore into the catalog as a process may have left it. */
  left(row: Partial<Restore>, connection?: Connection): Promise<Restore>;
  row(id: string): Promise<Restore>;
}

export function connectionTo({ host, port, username, password }: PostgresServer): Connection {
  return { host, port, username, password, databaseName: 'postgres', tls: { mode: 'disable' } };
}

export async function restoreBench(server: PostgresServer): Promise<RestoreBench> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-bench-'));
  const entities = getMetadataArgsStorage().tables.flatMap(({ target }) =>
    typeof target === 'function' ? [target as new () => object] : [],
  );
  const { catalog, close } = await openCatalog(
    { kind: 'sqlite', path: join(folder, 'catalog.db') },
    { entities, migrations: MIGRATIONS },
  );
  const clock = new SystemClock();
  const finder = new ToolFinder({ folders: server.clientBinDirs, patterns: [], path: '' }, clock);
  const engine = new PostgresEngine(new PostgresTools(finder), { clock, workDir: join(folder, 'work') });
  const engines = new EngineRegistry([engine]);
  const box = new SecretBox(await deriveSecretKey('a key for tests and for nothing else, long enough'));
  const opener = new ConnectionOpener(new DatabaseSecrets(box), new Environment({}));
  const targets = new RestoreTargets(catalog, opener, box, engines);
  const moves = new RestoreMoves(new EventLog(catalog, clock));
  const fresh = new FreshDatabases(catalog, clock, engines, targets, moves);
  const placer = new DatabasePlacer(catalog, clock, engines, fresh, moves);
  const row = (id: string): Promise<Restore> => catalog.read.findOneByOrFail(Restore, { id });
  return {
    catalog,
    engine,
    placer,
    moves,
    settler: new RestoreSettler(catalog, placer, fresh, moves),
    row,
    left: async (fields, connection = connectionTo(server)) => {
      const id = fields.id ?? uuidv7();
      const backupId = await insertBackup(catalog);
      const connectionSealed = targets.seal(id, connection);
      await catalog.write((tx) =>
        tx.insert(Restore, { ...blank(connection), backupId, connectionSealed, ...fields, id }),
      );
      return row(id);
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function insertBackup(catalog: Catalog): Promise<string> {
  const id = uuidv7();
  await catalog.write((tx) =>
    tx.insert(Backup, {
      id,
      databaseId: null,
      databaseName: 'shop',
      databaseHost: 'localhost',
      engine: 'postgres',
      status: 'completed',
      trigger: 'manual',
      locked: false,
      createdAt: new Date('2026-11-21T03:00:00Z'),
      attempt: 1,
      cancelRequested: false,
    }),
  );
  return id;
}

function blank({ host, port }: Connection) {
  return {
    engine: 'postgres' as const,
    status: 'running' as const,
    mode: 'new' as const,
    stage: 'loading' as const,
    targetHost: host,
    targetPort: port,
    targetDatabaseName: 'unnamed',
    jobs: 1,
    safetyBackup: false,
    keepOld: true,
    endConnections: false,
    createdAt: new Date('2026-11-21T03:10:00Z'),
    attempt: 1,
    cancelRequested: false,
  };
}
