import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import type { PostgresServer } from '../support/postgres-server.ts';
import { askRestore, type RestoreBody, restoreIn } from '../support/restores.ts';
import type { Service } from '../support/service.ts';
import { type BackupBody, backupIn, register } from '../support/shop.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { askBackup, BULK_ROWS, filesIn, filesOf } from './outage-world.ts';

/** The dump of `BULK` then takes some four seconds. */
export const PACE = 2 * 1024 * 1024;
export const IN_THE_MIDDLE = 1024 * 1024;

let ways = 0;

/** The way from a service to the server of a database that is known to it by a name of its own; the way can be broken. */
export class Way implements AsyncDisposable {
  readonly service: Service;
  readonly proxy: TcpProxy;
  readonly name: string;

  private constructor(service: Service, proxy: TcpProxy, name: string) {
    this.service = service;
    this.proxy = proxy;
    this.name = name;
  }

  static async make(
    service: Service,
    { to, database, options = {} }: { to: PostgresServer; database: string; options?: object },
  ): Promise<Way> {
    const proxy = await startProxy(to);
    ways += 1;
    const name = `outage-${ways}`;
    await register(service, { ...to, ...proxy.address }, database, name, { options });
    return new Way(service, proxy, name);
  }

  /** The files of this database, parts included. Its folder goes with the last of them. */
  async files(): Promise<string[]> {
    const folder = join(this.service.dataDir, 'data', 'backups', this.name);
    return existsSync(folder) ? filesIn(folder) : [];
  }

  /** Begins a slow dump, and waits until so many bytes of it have come through. */
  async inTheMiddle(bytes = IN_THE_MIDDLE): Promise<BackupBody> {
    this.proxy.throttle(PACE);
    const before = this.proxy.received;
    const asked = await askBackup(this.service, this.name);
    await until('the dump to be in its middle', () => this.proxy.received > before + bytes);
    return asked;
  }

  /** What every trouble of a server must leave: nothing. And the next attempt is good. */
  async expectRecovery(id: string, earlier: BackupBody): Promise<void> {
    expect(await this.files()).toEqual(filesOf(earlier));
    this.proxy.mend();
    const done = await backupIn(this.service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', contents: { rows: BULK_ROWS + 10 }, error: null });
    expect(done.attempt).toBeGreaterThan(1);
    expect(await this.files()).toEqual(filesOf(earlier, done));
  }

  /** Begins a slow restore, and waits until it loads. */
  async loading(backup: BackupBody): Promise<string> {
    this.proxy.throttle(PACE);
    const { id } = (await askRestore(this.service, backup.id)).body;
    await until('the restore to load', async () => {
      const { progress } = await this.restore(id);
      return progress?.phase === 'restoring' && progress.bytes > IN_THE_MIDDLE;
    });
    return id;
  }

  async restore(id: string): Promise<RestoreBody> {
    return (await this.service.request<RestoreBody>('GET', `/restores/${id}`)).body;
  }

  /** A restore that failed leaves no database, as soon as its server can be asked; and it can be asked for again. */
  async expectRestorable(failedId: string, backup: BackupBody): Promise<void> {
    this.proxy.mend();
    const isClean = async (): Promise<boolean> => (await this.restore(failedId)).unfinished_database === null;
    await until('the unfinished database to be dropped', isClean, 60_000);
    const again = await askRestore(this.service, backup.id);
    expect((await restoreIn(this.service, again.body.id, 'completed', 'failed')).status).toBe('completed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }
}
