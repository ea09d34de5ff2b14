import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { Config } from '../config/config.js';
import { BackupFolders } from './backup-folders.js';
import { DestinationMark } from './destination-mark.entity.js';
import { DestinationMarks } from './destination-marks.js';
import { LocalStorage } from './local-storage.js';
import { MarkedStorage } from './marked-storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from './storage-registry.js';

/** Driver room: the destinations, found by name: the folder `BACKUP_DIR`, and folders below BACKUP_DIR_ROOTS. */
@Module({
  imports: [CatalogModule.forFeature([DestinationMark])],
  providers: [
    BackupFolders,
    DestinationMarks,
    {
      provide: StorageRegistry,
      useFactory: ({ backupDir }: Config, marks: DestinationMarks) => {
        const marked = (destination: string, folder: string): MarkedStorage =>
          new MarkedStorage(new LocalStorage(folder), { destination, place: `the folder ${folder}` }, marks);
        const local = marked(LOCAL_DESTINATION, backupDir);
        return new StorageRegistry(new Map([[LOCAL_DESTINATION, local]]), (path) => marked(path, path));
      },
      inject: [Config, DestinationMarks],
    },
  ],
  exports: [BackupFolders, DestinationMarks, StorageRegistry],
})
export class StorageModule {}
