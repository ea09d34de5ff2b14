import type { Client } from 'pg';

import { connect } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const TABLES = 6;
/** Tables of one brood: made one by one, dropped in one go, so that a dump has a chance between two of them. */
const BROOD = 30;

type Deed = 'inserts' | 'updates' | 'deletes' | 'truncates' | 'creates' | 'drops';

/** People who change everything in a database as fast as they can. None of them waits for a lock for longer than 0.1 s. */
export class BusyWriters {
  readonly done: Record<Deed, number> = {
    inserts: 0,
    updates: 0,
    deletes: 0,
    truncates: 0,
    creates: 0,
    drops: 0,
  };
  readonly #stop = new AbortController();
  #working: Promise<void> = Promise.resolve();

  static async start(server: PostgresServer, database: string): Promise<BusyWriters> {
    const writers = new BusyWriters();
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(server, database)));
    for (const client of clients) await client.query(`SET lock_timeout = '100ms'`);
    const [one, two, three, four] = clients as [Client, Client, Client, Client];
    for (let table = 0; table < TABLES; table += 1) {
      await one.query(`CREATE TABLE t${table} (id bigserial PRIMARY KEY, body text)`);
      await one.query(`INSERT INTO t${table} (body) SELECT 'before ' || i FROM generate_series(1, 300) i`);
    }
    const changing = [one, two].map((client) => writers.#repeat((turn) => writers.#change(client, turn)));
    const truncating = writers.#repeat((turn) => writers.#truncate(three, turn));
    const breeding = writers.#repeat((turn) => writers.#breed(four, turn));
    writers.#working = writers.#untilStopped(clients, [...changing, truncating, breeding]);
    writers.#working.catch(() => undefined);
    return writers;
  }

  /** Resolves when nobody writes any more; rejects when one of them had failed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#working;
  }

  async #untilStopped(clients: readonly Client[], working: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(working);
    } finally {
      this.#stop.abort();
      await Promise.allSettled(working);
      for (const client of clients) await client.end();
    }
  }

  async #repeat(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !this.#stop.signal.aborted; turn += 1) {
      await work(turn).catch((error: unknown) => {
        if (!isLockTimeout(error)) throw error;
      });
    }
  }

  async #change(client: Client, turn: number): Promise<void> {
    const table = `t${turn % TABLES}`;
    await this.#do(
      'inserts',
      client,
      `INSERT INTO ${table} (body) SELECT 'now ' || i FROM generate_series(1, 7) i`,
    );
    await this.#do('updates', client, `UPDATE ${table} SET body = body || '.' WHERE id % 11 = ${turn % 11}`);
    await this.#do('deletes', client, `DELETE FROM ${table} WHERE id IN (SELECT min(id) FROM ${table})`);
  }

  async #truncate(client: Client, turn: number): Promise<void> {
    await this.#do('truncates', client, `TRUNCATE t${turn % TABLES}`);
    await this.#do('inserts', client, `INSERT INTO t${turn % TABLES} (body) VALUES ('after')`);
  }

  async #breed(client: Client, turn: number): Promise<void> {
    const names = Array.from({ length: BROOD }, (_, index) => `brood_${turn}_${index}`);
    for (const name of names) {
      await this.#do('creates', client, `CREATE TABLE ${name} AS SELECT generate_series(1, 5) AS id`);
    }
    while (!this.#stop.signal.aborted) {
      try {
        await this.#do('drops', client, `DROP TABLE ${names.join(', ')}`);
        return;
      } catch (error) {
        if (!isLockTimeout(error)) throw error; // a dump holds one of them
      }
    }
  }

  async #do(deed: Deed, client: Client, statement: string): Promise<void> {
    await client.query(statement);
    this.done[deed] += 1;
  }
}

function isLockTimeout(error: unknown): boolean {
  // 40P01: two of the writers wait for each other.
  return error instanceof Error && 'code' in error && (error.code === '55P03' || error.code === '40P01');
}
