import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { v7 } from 'uuid';

import { catalogLocation } from '../catalog/catalog-location.js';
import { CatalogProbe } from '../catalog/catalog-probe.js';
import { Config } from '../config/config.js';
import { ScheduleTicker } from '../scheduler/schedule-ticker.js';
import { LOCAL_DESTINATION, StorageRegistry } from '../storage/storage-registry.js';

/** An orchestrator gives up after some seconds; a clear answer before that is worth more than a late one. */
const TIMEOUT_MS = 4_000;
/** Each check writes; whoever asks in a loop shall not wear out the disk. */
const CACHE_MS = 1_000;
/** Objects that only show that the destination takes some begin so. */
const PROBES = 'health/probe-';

/** What is asked to learn whether the service works. Each check uses the part as the service's own work does. */
@Injectable()
export class HealthChecks {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly catalog: CatalogProbe,
    private readonly storages: StorageRegistry,
    private readonly ticker: ScheduleTicker,
    private readonly config: Config,
  ) {}

  /** The catalog commits a row. */
  async catalogWrites(): Promise<HealthIndicatorResult> {
    return await this.indicators
      .check('catalog')
      .attempt(() => this.catalog.write())
      .withTimeout(TIMEOUT_MS)
      .cacheFor(CACHE_MS);
  }

  /** The catalog answers a query; says which kind of database it is. */
  async catalogReads(): Promise<HealthIndicatorResult> {
    return await this.indicators
      .check('catalog')
      .attempt(async () => {
        await this.catalog.read();
        return { kind: catalogLocation(this.config).kind };
      })
      .withTimeout(TIMEOUT_MS);
  }

  /** The default destination takes an object and gives it up again. */
  async destinationWrites(): Promise<HealthIndicatorResult> {
    return await this.indicators
      .check('destination')
      .attempt(({ signal }) => this.#storeProbe(signal))
      .withTimeout(TIMEOUT_MS)
      .cacheFor(CACHE_MS);
  }

  /** The ticker looks for due schedules, and can run them. Schedules that are off are no trouble. */
  async schedulerTicks(): Promise<HealthIndicatorResult> {
    const { isOn, lookedAt, trouble } = this.ticker.state;
    const facts = { enabled: isOn, last_look_at: lookedAt?.toISOString() ?? null };
    const check = this.indicators.check('scheduler');
    return Promise.resolve(
      trouble === undefined ? check.up(facts) : check.down({ ...facts, message: trouble }),
    );
  }

  async #storeProbe(signal: AbortSignal): Promise<void> {
    const storage = this.storages.open(LOCAL_DESTINATION);
    await storage.put(`${PROBES}${v7()}`, Readable.from([Buffer.from('ready')]), signal);
    // Also those of a service that died between the two. Another living one's is gone then before it removes it, which is fine (S5).
    for await (const { key } of storage.list(PROBES)) await storage.delete(key);
  }
}
