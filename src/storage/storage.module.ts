import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { Config } from '../config/config.js';
import { DestinationMark } from './destination-mark.entity.js';
import { DestinationMarks } from './destination-marks.js';
import { LocalStorage } from './local-storage.js';
import { MarkedStorage } from './marked-storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from './storage-registry.js';

/** Driver room: the destinations, found by name. Today there is one, the folder `BACKUP_DIR`. */
@Module({
  imports: [CatalogModule.forFeature([DestinationMark])],
  providers: [
    DestinationMarks,
    {
      provide: StorageRegistry,
      useFactory: ({ backupDir }: Config, marks: DestinationMarks) => {
        const where = { destination: LOCAL_DESTINATION, place: `the folder ${backupDir}` };
        const local = new MarkedStorage(new LocalStorage(backupDir), where, marks);
        return new StorageRegistry(new Map([[LOCAL_DESTINATION, local]]));
      },
      inject: [Config, DestinationMarks],
    },
  ],
  exports: [StorageRegistry],
})
export class StorageModule {}
