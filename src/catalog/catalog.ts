import { AsyncLocalStorage } from 'node:async_hooks';

import { Injectable } from '@nestjs/common';
import { type DataSource, type EntityManager } from 'typeorm';
import { AbstractSqliteDriver } from 'typeorm/driver/sqlite-abstract/AbstractSqliteDriver.js';

import { locationOf } from './data-sources.js';
import { translateWriteError } from './write-errors.js';

/**
 * Our own tables. TypeORM's SQLite driver has one connection, on which concurrent transactions nest as savepoints of one
 * another: measured with 0.3.31, B's "committed" rows vanish when A rolls back. Therefore there are exactly two ways in:
 *
 * - `write(work)`: one short transaction without I/O inside. On SQLite all of them go one after another through one
 *   connection; on PostgreSQL each is a plain transaction.
 * - `read`: a second connection that sees committed rows only (WAL), never half a transaction.
 *
 * Lint forbids every other way (`.transaction(`, `@InjectRepository`, `createQueryRunner`) outside this room.
 */
@Injectable()
export class Catalog {
  readonly #writer: DataSource;
  readonly #reader: DataSource;
  /** Set for everything that `work` calls; `open` ends with the transaction, for what `work` has merely started. */
  readonly #current = new AsyncLocalStorage<{ open: boolean }>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #revision = 0;
  readonly #endings = new WeakMap<EntityManager, (() => Promise<void>)[]>();

  constructor(writer: DataSource, reader: DataSource) {
    this.#writer = writer;
    this.#reader = reader;
  }

  /** Whether no other process can have written here while we run, nor holds anything from before (SQLite, locked). */
  get hasSoleOwner(): boolean {
    return this.#writer.options.type === 'sqlite';
  }

  /**
   * Another number after each transaction that may have changed something, before anybody is told of it: while it stays the same, what
   * has been read is what is there. Undefined where other processes write too.
   */
  get revision(): number | undefined {
    return this.hasSoleOwner ? this.#revision : undefined;
  }

  /** For queries only. Sees what has been committed when the query begins. */
  get read(): EntityManager {
    return this.#reader.manager;
  }

  /**
   * Runs `work` in a transaction and gives what it gives, committed. Rejects with what `work` threw, rolled back, or with
   * `catalog-full` when there is no room for it.
   * A call inside of `work` is refused, because on SQLite it would wait for itself for ever: pass `tx` on instead.
   */
  async write<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    if (this.#current.getStore()?.open) {
      throw new Error(
        'catalog.write was called inside of catalog.write; pass the transaction `tx` on instead',
      );
    }
    const run = (): Promise<T> => {
      const transaction = { open: true };
      return this.#current
        .run(transaction, async () => {
          await this.#forgetDeadTransaction();
          return this.#writer.transaction((tx) => this.#complete(tx, work));
        })
        .catch((error: unknown) => {
          throw translateWriteError(locationOf(this.#writer.options), error);
        })
        .finally(() => {
          transaction.open = false;
          // Also after an error: what could not be said to be committed may be.
          this.#revision += 1;
        });
    };
    if (!this.hasSoleOwner) return run();
    const mine = this.#lastWrite.then(run, run);
    this.#lastWrite = mine.catch(() => undefined);
    return mine;
  }

  /**
   * Has `ending` run as the last thing of the transaction `tx`, before its commit, in the order of asking. For what takes a lock
   * that everybody wants: taken last, it is held for a moment only, and nobody who has it waits for anybody else.
   */
  atEndOf(tx: EntityManager, ending: () => Promise<void>): void {
    const endings = this.#endings.get(tx);
    if (endings === undefined) throw new Error('atEndOf was called outside of catalog.write');
    endings.push(ending);
  }

  /**
   * Lets nobody else be between this and the end of his transaction: for what is decided by a look at many rows, which no condition on
   * one row guards. Who calls it sees all that those before him have committed. Call it first of all, and end soon.
   * @param right the same number for the same decision
   */
  async oneAtATime(tx: EntityManager, right: number): Promise<void> {
    // With a sole owner all transactions come one after another anyway.
    if (!this.hasSoleOwner) await tx.query('SELECT pg_advisory_xact_lock($1)', [right]);
  }

  async #complete<T>(tx: EntityManager, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    const endings: (() => Promise<void>)[] = [];
    this.#endings.set(tx, endings);
    const result = await work(tx);
    this.#endings.delete(tx);
    for (const ending of endings) await ending();
    return result;
  }

  /**
   * After a full disk or an I/O error SQLite has rolled back by itself. TypeORM's own ROLLBACK then fails, and it goes on
   * believing that the transaction is open: the next ones would be savepoints, whose "commit" is none (measured with 0.3.31:
   * everything written from then on was lost at the end of the process). A fresh query runner believes nothing.
   */
  async #forgetDeadTransaction(): Promise<void> {
    const { driver } = this.#writer;
    if (!(driver instanceof AbstractSqliteDriver) || !driver.queryRunner?.isTransactionActive) return;
    await driver.queryRunner.query('ROLLBACK').catch(() => undefined); // there is none, as a rule
    driver.queryRunner = undefined;
  }
}
