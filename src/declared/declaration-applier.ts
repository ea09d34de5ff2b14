import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { toFault } from '../databases/database-faults.js';
import { isName } from '../databases/connection-rules.js';
import { findDatabase, holdDatabase, holdDatabaseNamed } from '../databases/database-rows.js';
import { DatabasesService } from '../databases/databases.service.js';
import { DomainError } from '../errors/domain-error.js';
import { SchedulesService } from '../scheduler/schedules.service.js';
import { ConfigFileInvalidError, EnvironmentDatabaseInvalidError } from './declared.errors.js';
import { at, toFileFault } from './declaration-faults.js';
import type { DatabaseDeclaration, Declarations, Problem, ScheduleDeclaration } from './declaration.js';
import type { EnvironmentDatabase } from './environment-databases.js';
import { type FilePath, inOrder } from './fault.js';
import { isSamePlace } from './same-place.js';

/** What is declared, by the file and by the environment. */
export interface Declared {
  file: { path: string; declarations: Declarations } | undefined;
  environment: readonly EnvironmentDatabase[];
}

/** Something that was written, for the log. */
export interface Applied {
  kind: 'database' | 'schedule';
  name: string;
  /** Of the schedule. */
  database?: string;
  outcome: 'registered' | 'created' | 'changed';
}

/** Another service on the same catalog, at its start too, may register what we are about to. */
const ATTEMPTS = 3;

/** Makes the catalog say what is declared: all of it in one transaction, or nothing. */
@Injectable()
export class DeclarationApplier {
  constructor(
    private readonly catalog: Catalog,
    private readonly databases: DatabasesService,
    private readonly schedules: SchedulesService,
  ) {}

  /**
   * First the environment's databases are registered where their names are free, then the file is applied, whose word is the last. What
   * says nothing new writes nothing. Gives what was written.
   *
   * @throws EnvironmentDatabaseInvalidError; ConfigFileInvalidError with every fault of the file, also those that show against the
   *   catalog only
   */
  async apply(declared: Declared): Promise<Applied[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.catalog.write((tx) => this.#applyIn(tx, declared));
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #applyIn(tx: EntityManager, { file, environment }: Declared): Promise<Applied[]> {
    const applied: Applied[] = [];
    const ownWords = file?.declarations.databases ?? [];
    for (const each of environment) {
      // The file may give the same database another name; it is not to be backed up under both.
      if (ownWords.some((declaration) => isSamePlace(declaration, each.request))) continue;
      applied.push(...(await this.#registerIn(tx, each)));
    }
    return file === undefined ? applied : [...applied, ...(await this.#fileIn(tx, file))];
  }

  /** Somebody may have changed what the environment has registered; a restart does not take that back. */
  async #registerIn(tx: EntityManager, { prefix, request }: EnvironmentDatabase): Promise<Applied[]> {
    try {
      if ((await findDatabase(tx, request.name)) !== null) return [];
      const { name } = await this.databases.registerIn(tx, request);
      return [{ kind: 'database', name, outcome: 'registered' }];
    } catch (error) {
      throw isConflict(error) ? error : new EnvironmentDatabaseInvalidError(prefix, error);
    }
  }

  /** A file with faults is looked at to its end as well: one look is to show everything that is wrong. */
  async #fileIn(
    tx: EntityManager,
    { path, declarations }: NonNullable<Declared['file']>,
  ): Promise<Applied[]> {
    const { databases, schedules, faults, lineOf } = declarations;
    const names = new Set(databases.map(({ name }) => name));
    const outcomes: Outcome[] = [];
    for (const each of databases) outcomes.push(await tell(each, () => this.#databaseIn(tx, each)));
    for (const each of schedules) outcomes.push(await tell(each, () => this.#scheduleIn(tx, each, names)));
    const found = outcomes.flatMap(({ problems }) => problems.map((problem) => toFileFault(problem, lineOf)));
    const all = inOrder([...faults, ...found]);
    if (all.length > 0) throw new ConfigFileInvalidError(path, all);
    return outcomes.flatMap(({ applied }) => applied ?? []);
  }

  async #databaseIn(
    tx: EntityManager,
    { path, name, engine, isFaulty, edits }: DatabaseDeclaration,
  ): Promise<Outcome> {
    if (!isName(name)) return NOTHING;
    const database = await holdDatabaseNamed(tx, name);
    if (database === null) {
      if (engine === undefined) return { problems: [{ path, detail: notRegistered(name) }] };
      if (isFaulty) return NOTHING;
      await this.databases.registerIn(tx, { ...edits, name, engine });
      return { applied: { kind: 'database', name, outcome: 'registered' }, problems: [] };
    }
    if (engine !== undefined && engine !== database.engine) {
      const detail =
        `${JSON.stringify(name)} is registered as ${database.engine}, and the engine of a database cannot change: that would be ` +
        'another database, and its backups are not of this one. Give this one another name';
      return { problems: [{ path: [...path, 'engine'], detail }] };
    }
    if (isFaulty || !(await this.databases.declareIn(tx, database, edits))) return NOTHING;
    return { applied: { kind: 'database', name, outcome: 'changed' }, problems: [] };
  }

  /** @param declared names of databases in the file, wrong ones too: of those it is said already what is wrong */
  async #scheduleIn(
    tx: EntityManager,
    { path, name, database: idOrName, isFaulty, edits }: ScheduleDeclaration,
    declared: ReadonlySet<string>,
  ): Promise<Outcome> {
    if (idOrName === '') return NOTHING;
    const found = await findDatabase(tx, idOrName);
    if (found === null) {
      if (declared.has(idOrName)) return NOTHING;
      const detail = `no database ${JSON.stringify(idOrName)} is registered, and none of that name is in the file`;
      return { problems: [{ path: [...path, 'database_id'], detail }] };
    }
    if (isFaulty) return NOTHING;
    const database = await holdDatabase(tx, found.id);
    const outcome = await this.schedules.declareIn(tx, database, edits);
    if (outcome === 'unchanged') return NOTHING;
    return { applied: { kind: 'schedule', name, database: database.name, outcome }, problems: [] };
  }
}

/** What came of one entry. */
interface Outcome {
  applied?: Applied;
  problems: Problem[];
}
const NOTHING: Outcome = { problems: [] };

async function tell({ path }: { path: FilePath }, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError) || isConflict(error)) throw error;
    return { problems: [at(path, toFault(error))] };
  }
}

function notRegistered(name: string): string {
  return `has no engine, and no database ${JSON.stringify(name)} is registered yet whose engine would count`;
}

/** Of two at once one is told; what it has written is gone by then, and it looks again. */
function isConflict(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'conflict';
}
