import { Injectable } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { Catalog } from './catalog.js';
import { Readiness } from './readiness.entity.js';

/** Tells whether the catalog works, by using it. */
@Injectable()
export class CatalogProbe {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
  ) {}

  /** Commits a row. Rejects with the database's error when the disk is full, the volume read-only or the server gone. */
  async write(): Promise<void> {
    const checkedAt = this.clock.now();
    await this.catalog.write((tx) => tx.upsert(Readiness, { name: 'service', checkedAt }, ['name']));
  }

  /** Reads through the connection that all queries use. */
  async read(): Promise<void> {
    await this.catalog.read.query('SELECT 1');
  }
}
