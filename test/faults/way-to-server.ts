import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { askRestore, type RestoreBody, restoreIn } from '../support/restores.ts';
import type { Service } from '../support/service.ts';
import { type BackupBody, backupIn } from '../support/shop.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { askBackup, filesIn, filesOf } from './outage-world.ts';

/** A dump of 8 MB by one connection then takes some four seconds. */
export const PACE = 2 * 1024 * 1024;
export const IN_THE_MIDDLE = 1024 * 1024;

/** A database that a service reaches by a way that can be broken. */
export interface FarDatabase {
  server: { host: string; port: number };
  /** What the service is told of it, but for its name, its address and its options. */
  registration: Record<string, unknown> & { database_name: string };
  /** Its rows or documents. */
  rows: number;
  /** Names of all databases of its server. */
  names(): Promise<string[]>;
}

let ways = 0;

/** The way from a service to the server of a database that is known to it by a name of its own; the way can be broken. */
export class Way implements AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly name: string;
  readonly #service: Service;
  readonly #database: FarDatabase;

  private constructor(service: Service, database: FarDatabase, proxy: TcpProxy, name: string) {
    this.#service = service;
    this.#database = database;
    this.proxy = proxy;
    this.name = name;
  }

  /** Registers the database at an address that leads to its server. `options` are those of the database. */
  static async make(service: Service, database: FarDatabase, options: object = {}): Promise<Way> {
    const proxy = await startProxy(database.server);
    ways += 1;
    const name = `outage-${ways}`;
    const body = { ...database.registration, ...proxy.address, name, options };
    const answer = await service.request('POST', '/databases', body);
    expect(answer, answer.text).toMatchObject({ status: 201 });
    return new Way(service, database, proxy, name);
  }

  /** The files of this database, parts included. Its folder goes with the last of them. */
  async files(): Promise<string[]> {
    const folder = join(this.#service.dataDir, 'data', 'backups', this.name);
    return existsSync(folder) ? filesIn(folder) : [];
  }

  /** Begins a slow dump, and waits until so many bytes of it have come through. */
  async inTheMiddle(bytes = IN_THE_MIDDLE): Promise<BackupBody> {
    this.proxy.throttle(PACE);
    const before = this.proxy.received;
    const asked = await askBackup(this.#service, this.name);
    await until('the dump to be in its middle', () => this.proxy.received > before + bytes);
    return asked;
  }

  /** What every trouble of a server must leave: nothing. And the next attempt is good. */
  async expectRecovery(id: string, earlier: BackupBody): Promise<void> {
    expect(await this.files()).toEqual(filesOf(earlier));
    this.proxy.mend();
    const done = await backupIn(this.#service, id, 'completed', 'failed');
    const { rows } = this.#database;
    expect(done).toMatchObject({ status: 'completed', contents: { rows }, error: null });
    expect(done.attempt).toBeGreaterThan(1);
    expect(await this.files()).toEqual(filesOf(earlier, done));
    await this.#untilLetGo();
  }

  /**
   * Begins a restore, and waits until it has loaded a part: from then on nothing passes, however slow the machine is, so it cannot end.
   * A server that is ended by the test is not noticed before the way is mended.
   */
  async loading(backup: BackupBody): Promise<string> {
    const held = this.proxy.holdAfter(IN_THE_MIDDLE);
    let isHeld = false;
    void held.then(() => (isHeld = true));
    // Others restore the same database by other ways, so the service does not see that they mean the same server.
    const target = { database_name: `${this.#database.registration.database_name}_by_${this.name}` };
    const { id } = (await askRestore(this.#service, backup.id, { target })).body;
    await until('the restore to load', async () => {
      expect((await this.restore(id)).error).toBe(null);
      return isHeld;
    });
    expect((await this.restore(id)).progress).toMatchObject({ phase: 'restoring' });
    return id;
  }

  async restore(id: string): Promise<RestoreBody> {
    return (await this.#service.request<RestoreBody>('GET', `/restores/${id}`)).body;
  }

  /** A restore that failed leaves no database, as soon as its server can be asked; and it can be asked for again. */
  async expectRestorable(failedId: string, backup: BackupBody): Promise<void> {
    const { target } = await this.restore(failedId);
    this.proxy.mend();
    const isClean = async (): Promise<boolean> => (await this.restore(failedId)).unfinished_database === null;
    await until('the unfinished database to be dropped', isClean);
    expect(await this.#database.names()).not.toContain(target.database_name);
    const { body: again } = await askRestore(this.#service, backup.id, {
      target: { database_name: `${target.database_name}_again` },
    });
    const done = await restoreIn(this.#service, again.id, 'completed', 'failed');
    const { rows } = this.#database;
    expect(done).toMatchObject({ status: 'completed', result: { compared: { rows } } });
    await this.#untilLetGo();
  }

  /** Nothing works on the way any more, so the service holds none of it. */
  async #untilLetGo(): Promise<void> {
    await until('every connection to be let go', () => this.proxy.connections() === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }
}
