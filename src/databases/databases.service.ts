import { isDeepStrictEqual } from 'node:util';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';

import { Catalog } from '../catalog/catalog.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { Clock } from '../clock/clock.js';
import { EventLog, type NewEvent } from '../events/event-log.js';
import type { EventName } from '../events/event-names.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { IdempotencyKeyReusedError } from '../idempotency/idempotency.errors.js';
import { type KeyedMaking, makeOnce, NO_ORIGIN } from '../idempotency/make-once.js';
import { type BackupsChoice, DatabaseDependents } from './database-dependents.js';
import { blankDatabase, type DatabaseEdits, type DatabaseRequest, editDatabase } from './database-edits.js';
import {
  databaseOfKey,
  holdDatabase,
  insertDatabase,
  listDatabases,
  requireDatabase,
  updateDatabase,
} from './database-rows.js';
import { DatabaseSecrets } from './database-secrets.js';
import { Database } from './database.entity.js';
import { DatabaseBusyError } from './databases.errors.js';

/** The databases that are backed up. */
@Injectable()
export class DatabasesService {
  constructor(
    private readonly catalog: Catalog,
    private readonly engines: EngineRegistry,
    private readonly secrets: DatabaseSecrets,
    private readonly dependents: DatabaseDependents,
    private readonly clock: Clock,
    private readonly events: EventLog,
  ) {}

  /** Throws `database-not-found`. */
  async get(idOrName: string): Promise<Database> {
    return requireDatabase(this.catalog.read, idOrName);
  }

  /** At most `take` in order of their names, from the one after `after` on, and how many there are in all. */
  async list(page: {
    take: number;
    after?: string | undefined;
  }): Promise<{ rows: Database[]; total: number }> {
    return listDatabases(this.catalog.read, page);
  }

  /**
   * Nothing is connected to: a server that is down now can be registered. For a repeated idempotency key it gives the database that the
   * first request has registered, as it is now.
   *
   * @throws `engine-unknown`, `database-name-taken`, `idempotency-key-reused`, …
   */
  async register(request: DatabaseRequest, idempotencyKey?: string): Promise<Database> {
    if (idempotencyKey === undefined) return this.catalog.write((tx) => this.registerIn(tx, request));
    const making: KeyedMaking<Database> = {
      find: () => databaseOfKey(this.catalog.read, idempotencyKey),
      giveUp: ({ id }) => this.catalog.write((tx) => tx.update(Database, { id }, NO_ORIGIN)),
      refuseUnlessFor: (first) => this.#refuseUnlessFor(first, request),
      make: () => this.catalog.write((tx) => this.registerIn(tx, request, idempotencyKey)),
      isKeyTaken: (error) => violatesUnique(error, 'databases', 'idempotency'),
    };
    return makeOnce(making, this.clock);
  }

  /** The same as a part of the transaction `tx`; the key must be free. */
  async registerIn(tx: EntityManager, request: DatabaseRequest, idempotencyKey?: string): Promise<Database> {
    const engine = this.engines.get(request.engine);
    const database = blankDatabase(v7(), engine, this.clock.now());
    editDatabase(database, request, engine, this.secrets);
    if (idempotencyKey !== undefined) {
      database.idempotencyKey = idempotencyKey;
      database.requestMark = this.secrets.markRequest(database.id, request);
    }
    await insertDatabase(tx, database);
    await this.dependents.onSave(tx, database, request.schedule ?? {});
    this.events.append(tx, databaseEvent('DatabaseRegistered', database));
    return database;
  }

  /**
   * Makes the edits in `database`, held by `tx`, and writes nothing when they change nothing. Gives whether they did.
   *
   * @throws what the rules throw
   */
  async declareIn(tx: EntityManager, database: Database, edits: DatabaseEdits): Promise<boolean> {
    const edited = Object.assign(new Database(), database);
    editDatabase(edited, edits, this.engines.get(database.engine), this.secrets);
    const hasOtherSchedule = await this.dependents.onSave(tx, edited, edits.schedule ?? {});
    if (!hasOtherSchedule && isDeepStrictEqual(edited, database)) return false;
    edited.updatedAt = this.clock.now();
    await updateDatabase(tx, edited);
    this.events.append(tx, databaseEvent('DatabaseChanged', edited));
    return true;
  }

  /** Throws `database-not-found`, `database-name-taken`, and what the rules throw; then nothing is changed. */
  async update(idOrName: string, edits: DatabaseEdits): Promise<Database> {
    return this.catalog.write(async (tx) => {
      const database = await holdDatabase(tx, idOrName);
      editDatabase(database, edits, this.engines.get(database.engine), this.secrets);
      database.updatedAt = this.clock.now();
      await updateDatabase(tx, database);
      await this.dependents.onSave(tx, database, edits.schedule ?? {});
      this.events.append(tx, databaseEvent('DatabaseChanged', database));
      return database;
    });
  }

  /** Removes the registration; the database itself is never touched. Throws `database-not-found`, `database-busy`. */
  async remove(idOrName: string, backups: BackupsChoice): Promise<void> {
    const ahead = (): Promise<boolean> =>
      this.catalog.write(async (tx) => {
        const { id } = await this.#holdIdle(tx, idOrName);
        return this.dependents.removeAhead(tx, id, backups);
      });
    while (await ahead());
    await this.catalog.write(async (tx) => {
      const database = await this.#holdIdle(tx, idOrName);
      await this.dependents.onRemove(tx, database.id, backups);
      await tx.delete(Database, { id: database.id });
      this.events.append(tx, databaseEvent('DatabaseRemoved', database));
    });
  }

  #refuseUnlessFor({ id, name, requestMark }: Database, request: DatabaseRequest): void {
    if (requestMark === this.secrets.markRequest(id, request)) return;
    throw new IdempotencyKeyReusedError(`database ${id}, "${name}"`, { database_id: id, database: name });
  }

  async #holdIdle(tx: EntityManager, idOrName: string): Promise<Database> {
    const database = await holdDatabase(tx, idOrName);
    const active = await this.dependents.activeWork(tx, database.id);
    if (active.length > 0) throw new DatabaseBusyError(database.name, active);
    return database;
  }
}

function databaseEvent(name: EventName, { id, name: databaseName, engine }: Database): NewEvent {
  return {
    name,
    subject: { kind: 'database', id },
    database: { id, name: databaseName },
    facts: { engine },
  };
}
