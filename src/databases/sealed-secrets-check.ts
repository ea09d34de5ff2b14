import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { DomainError } from '../errors/domain-error.js';
import { DatabaseSecrets } from './database-secrets.js';
import { Database } from './database.entity.js';

/**
 * Says at every start which stored passwords cannot be opened with today's key. A key file that was lost is made anew, and
 * without this nobody would hear of it before the next backup fails, perhaps in the night.
 */
@Injectable()
export class SealedSecretsCheck implements OnApplicationBootstrap {
  readonly #log = new Logger('Secrets');

  constructor(
    private readonly catalog: Catalog,
    private readonly secrets: DatabaseSecrets,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const databases = await this.catalog.read.find(Database, { order: { name: 'ASC' } });
    for (const database of databases) {
      try {
        this.secrets.openPassword(database);
        this.secrets.openTls(database);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        this.#log.error(
          { database: database.name, code: error.code, reason: error.message },
          'the stored password of a database cannot be opened: its backups will fail',
        );
      }
    }
  }
}
