import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, test } from 'vitest';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { completedBackup } from '../support/shop.ts';
import { CrashWorld } from './crash-world.ts';

let world: CrashWorld;
beforeEach(async () => {
  world = await CrashWorld.make();
});
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** Puts a removed backup's archive back, with a row that says that its removal had begun: what a destination that was away leaves. */
async function leaveHalfRemoved(backupId: string): Promise<void> {
  const opened = await openCatalog(
    { kind: 'sqlite', path: join(world.dataDir, 'data', 'backup.db') },
    { entities: [Backup, BackupCopy, BackupLog, Database], migrations: MIGRATIONS },
  );
  try {
    await opened.catalog.write((tx) => tx.update(BackupCopy, { backupId }, { state: 'discarding' }));
    const { keys } = await opened.catalog.read.findOneByOrFail(BackupCopy, { backupId });
    for (const key of keys) {
      const path = join(world.dataDir, 'data', 'backups', key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'left over');
    }
  } finally {
    await opened.close();
  }
}

test('killed (-9) in a sweep, at sweep.orphan-found: the next one finds it again', async () => {
  const { id } = await completedBackup(world.service, 'shop');
  await world.service.request('DELETE', `/backups/${id}?force=true`);
  await world.kill();
  await leaveHalfRemoved(id);
  await world.struckInRecovery({ point: 'sweep.orphan-found', signal: 'SIGKILL' });
  await world.revive();
  await world.expectWhole();
});
