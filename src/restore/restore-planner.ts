import { isDeepStrictEqual } from 'node:util';

import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';

import type { Manifest } from '../archive/manifest.js';
import { BackupQueries } from '../backups/backup-queries.js';
import type { Backup } from '../backups/backup.entity.js';
import { StoredManifests } from '../backups/stored-manifest.js';
import { Clock } from '../clock/clock.js';
import { checkRemoteName } from '../databases/connection-rules.js';
import type { Engine } from '../engines/engine.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { activeTarget, isRestoredName, restoredName } from './restore-names.js';
import { checkChoice, checkReplacement } from './restore-rules.js';
import type { RestoreMode } from './restore-states.js';
import { type RestoreTarget, RestoreTargets, type TargetRequest } from './restore-targets.js';
import { Restore } from './restore.entity.js';
import { RestoreTargetMissingError } from './restore.errors.js';
import { TargetInspector } from './target-inspector.js';

/** What somebody asks for. */
export interface RestoreRequest {
  /** Id or file name of the backup. */
  backup: string;
  target: TargetRequest;
  mode: RestoreMode;
  /** The name of the database that is to be replaced. */
  confirm?: string | undefined;
  tables?: readonly string[] | undefined;
  jobs?: number | undefined;
  safetyBackup?: boolean | undefined;
  keepOld?: boolean | undefined;
  endConnections?: boolean | undefined;
  idempotencyKey?: string | undefined;
}

/** Two default names of one second; nobody makes this many. */
const MOST_TURNS = 100;

/**
 * Turns a request into the row of a restore, or refuses it. Everything that can be known now is checked now, the target's
 * server included, so that nobody waits to learn of a name that is taken. The runner checks again.
 */
@Injectable()
export class RestorePlanner {
  constructor(
    private readonly clock: Clock,
    private readonly backups: BackupQueries,
    private readonly manifests: StoredManifests,
    private readonly engines: EngineRegistry,
    private readonly targets: RestoreTargets,
    private readonly inspector: TargetInspector,
  ) {}

  /**
   * Gives a row that is not inserted yet.
   * @throws `backup-not-found`, `backup-not-in-state`, `manifest-changed`, and the errors of this room's rules
   * @throws `target-database-exists`, `database-in-use` and what keeps us from connecting
   */
  async plan(request: RestoreRequest): Promise<Restore> {
    const backup = await this.backups.get(request.backup);
    const { manifest } = await this.manifests.open(backup);
    const engine = this.engines.get(backup.engine);
    checkChoice(request, manifest, engine.traits);
    const target = await this.targets.choose(request.target, backup, engine);
    const name =
      request.mode === 'replace'
        ? nameToReplace(request, target)
        : await this.#nameToMake(request, target, manifest, engine);
    checkRemoteName(name, engine.traits);
    if (request.mode === 'replace') {
      checkReplacement(request, { name, database: target.database });
      await this.inspector.refuseUnlessReplaceable(engine, target.connection, name, {
        endSessions: request.endConnections ?? false,
      });
    } else {
      await this.inspector.refuseExisting(engine, target.connection, name);
    }
    return this.#row(request, backup, target, name);
  }

  /**
   * Whether a request asks for what this restore was asked for: the same backup, or tables of it, to the same place in the same way.
   * @throws what `plan` throws of a backup or a target that is not there
   */
  async isFor(restore: Restore, request: RestoreRequest): Promise<boolean> {
    const backup = await this.backups.get(request.backup);
    const target = await this.targets.choose(request.target, backup, this.engines.get(backup.engine));
    const tables = request.tables === undefined ? null : [...new Set(request.tables)];
    return (
      restore.backupId === backup.id &&
      restore.mode === request.mode &&
      isDeepStrictEqual(restore.tables, tables) &&
      isAtTarget(restore, request, target)
    );
  }

  async #nameToMake(
    request: RestoreRequest,
    target: RestoreTarget,
    manifest: Manifest,
    engine: Engine,
  ): Promise<string> {
    if (request.target.databaseName !== undefined) return request.target.databaseName;
    const { maxDatabaseNameBytes } = engine.traits;
    // A backup of a whole server has no database's name; what it is registered as may hold dots.
    const base = manifest.database.database_name || manifest.database.name.replaceAll('.', '_');
    const now = this.clock.now();
    for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
      const name = restoredName(base, now, turn, maxDatabaseNameBytes);
      if (!(await this.inspector.isTaken(engine, target.connection, name))) return name;
    }
    throw new Error(`no free name for a restored copy of ${base}`);
  }

  #row(request: RestoreRequest, backup: Backup, target: RestoreTarget, name: string): Restore {
    const id = uuidv7();
    const replaces = request.mode === 'replace';
    const { host, port } = target.connection;
    return Object.assign(new Restore(), {
      id,
      backupId: backup.id,
      engine: backup.engine,
      status: 'queued',
      mode: request.mode,
      stage: 'nothing',
      targetDatabaseId: target.database?.id ?? null,
      targetHost: host,
      targetPort: port,
      targetDatabaseName: name,
      connectionSealed: target.database === null ? this.targets.seal(id, target.connection) : null,
      activeTarget: activeTarget(host, port, name),
      freshName: null,
      keptAs: null,
      tables: request.tables === undefined ? null : [...new Set(request.tables)],
      jobs: request.jobs ?? 1,
      safetyBackup: replaces && (request.safetyBackup ?? true),
      keepOld: replaces && (request.keepOld ?? true),
      endConnections: replaces && (request.endConnections ?? false),
      safetyBackupId: null,
      createdAt: this.clock.now(),
      startedAt: null,
      completedAt: null,
      attempt: 0,
      interruptedAttempts: 0,
      cancelRequested: false,
      idempotencyKey: request.idempotencyKey ?? null,
      result: null,
      errorCode: null,
      errorDetail: null,
      errorRetryable: null,
      errorFacts: null,
    } satisfies Restore);
  }
}

/** A registered database may have moved since; the server of an inline connection is all that is known of it. */
function isAtTarget(restore: Restore, request: RestoreRequest, target: RestoreTarget): boolean {
  const { host, port } = target.connection;
  if (restore.targetDatabaseId !== (target.database?.id ?? null)) return false;
  if (target.database === null && (restore.targetHost !== host || restore.targetPort !== port)) return false;
  const { databaseName } = request.target;
  if (databaseName !== undefined) return restore.targetDatabaseName === databaseName;
  return request.mode === 'replace'
    ? restore.targetDatabaseName === target.ownName
    : isRestoredName(restore.targetDatabaseName);
}

function nameToReplace(request: RestoreRequest, target: RestoreTarget): string {
  const name = request.target.databaseName ?? target.ownName;
  if (name === undefined) {
    throw new RestoreTargetMissingError('give target.database_name, the database that is to be replaced');
  }
  return name;
}
