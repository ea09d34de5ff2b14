import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { BackupFolders } from './backup-folders.js';
import { DestinationMark } from './destination-mark.entity.js';
import { DestinationMarks } from './destination-marks.js';
import { LocalStorage } from './local-storage.js';
import { MarkedStorage } from './marked-storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from './storage-registry.js';
import type { Storage } from './storage.js';
import { WatchedStorage } from './watched-storage.js';

/** Driver room: the destinations, found by name: the folder `BACKUP_DIR`, and folders below BACKUP_DIR_ROOTS. */
@Module({
  imports: [CatalogModule.forFeature([DestinationMark])],
  providers: [
    BackupFolders,
    DestinationMarks,
    {
      provide: StorageRegistry,
      useFactory: ({ backupDir, stallSeconds }: Config, marks: DestinationMarks, clock: Clock) => {
        const openFolder = (destination: string, folder: string): Storage => {
          const place = `the folder ${folder}`;
          const marked = new MarkedStorage(new LocalStorage(folder), { destination, place }, marks);
          return new WatchedStorage(marked, place, { clock, limitMs: stallSeconds * 1000 });
        };
        const local = openFolder(LOCAL_DESTINATION, backupDir);
        return new StorageRegistry(new Map([[LOCAL_DESTINATION, local]]), (path) => openFolder(path, path));
      },
      inject: [Config, DestinationMarks, Clock],
    },
  ],
  exports: [BackupFolders, DestinationMarks, StorageRegistry],
})
export class StorageModule {}
