import { Module } from '@nestjs/common';

import { Config } from '../config/config.js';
import { LocalStorage } from './local-storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from './storage-registry.js';

/** Driver room: the destinations, found by name. Today there is one, the folder `BACKUP_DIR`. */
@Module({
  providers: [
    {
      provide: StorageRegistry,
      useFactory: (config: Config) =>
        new StorageRegistry(new Map([[LOCAL_DESTINATION, new LocalStorage(config.backupDir)]])),
      inject: [Config],
    },
  ],
  exports: [StorageRegistry],
})
export class StorageModule {}
