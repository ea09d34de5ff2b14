import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import type { Connection, Engine } from '../engines/engine.js';
import { DatabaseInUseError, TargetDatabaseExistsError } from '../engines/tools.errors.js';
import { activeTarget } from './restore-names.js';
import { Restore } from './restore.entity.js';

/** Looks at a server before a restore changes it: when the restore is asked for, and again when it begins. */
@Injectable()
export class TargetInspector {
  constructor(private readonly catalog: Catalog) {}

  /** Whether a database of this name exists, or will once a restore that waits or runs has ended. */
  async isTaken(engine: Engine, connection: Connection, name: string): Promise<boolean> {
    const { host, port } = connection;
    const where = { activeTarget: activeTarget(host, port, name) };
    if (await this.catalog.read.existsBy(Restore, where)) return true;
    return engine.databases.exists(connection, name, unwatched());
  }

  /** @throws `target-database-exists` */
  async refuseExisting(
    engine: Engine,
    connection: Connection,
    name: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const call = signal ? { signal } : unwatched();
    if (await engine.databases.exists(connection, name, call)) throw new TargetDatabaseExistsError(name);
  }

  /**
   * Gives whether the database exists; one that does not, because it was dropped, can be put back by replacing nothing.
   * @throws `swap-unsupported` where the server cannot do it at all
   * @throws `database-in-use`, with the sessions of others, unless they may be ended
   */
  async refuseUnlessReplaceable(
    engine: Engine,
    connection: Connection,
    name: string,
    options: { endSessions: boolean },
    signal?: AbortSignal,
  ): Promise<boolean> {
    const call = signal ? { signal } : unwatched();
    await engine.databases.checkSwap(connection, name, call);
    if (!(await engine.databases.exists(connection, name, call))) return false;
    if (options.endSessions) return true;
    const sessions = await engine.databases.sessions(connection, name, call);
    if (sessions.length > 0) throw new DatabaseInUseError(name, sessions);
    return true;
  }
}

/** A look within a request: short, and bounded by the engine's own time to connect. */
function unwatched(): { signal: AbortSignal } {
  return { signal: new AbortController().signal };
}
