import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';

/**
 * Puts a removed backup's archive back, with a row that says that its removal had begun: what a destination that was away
 * leaves. The service of this folder must not run.
 */
export async function leaveHalfRemoved(dataDir: string, backupId: string): Promise<void> {
  const opened = await openCatalog(
    { kind: 'sqlite', path: join(dataDir, 'data', 'backup.db') },
    { entities: [Backup, BackupCopy, BackupLog, Database], migrations: MIGRATIONS },
  );
  try {
    await opened.catalog.write((tx) => tx.update(BackupCopy, { backupId }, { state: 'discarding' }));
    const { keys } = await opened.catalog.read.findOneByOrFail(BackupCopy, { backupId });
    for (const key of keys) {
      const path = join(dataDir, 'data', 'backups', key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'left over');
    }
  } finally {
    await opened.close();
  }
}
