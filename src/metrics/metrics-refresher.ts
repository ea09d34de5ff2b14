import { Injectable, Logger } from '@nestjs/common';

import { CatalogProbe } from '../catalog/catalog-probe.js';
import { Clock } from '../clock/clock.js';
import { LOCAL_DESTINATION, StorageRegistry } from '../storage/storage-registry.js';
import type { StorageSpace } from '../storage/storage.js';
import { type CatalogFacts, CatalogFactsReader } from './catalog-facts.js';
import { ServiceMetrics } from './service-metrics.js';

/** A catalog that has not taken a row within this time counts as one that does not; scrapers give up after 10 s. */
const WRITE_MS = 3_000;

/** Brings the metrics up to date at a scrape. What cannot be learned is left out, and never shown as it was before. */
@Injectable()
export class MetricsRefresher {
  readonly #log = new Logger('Metrics');
  #writing: Promise<boolean> | undefined;

  constructor(
    private readonly metrics: ServiceMetrics,
    private readonly facts: CatalogFactsReader,
    private readonly probe: CatalogProbe,
    private readonly storages: StorageRegistry,
    private readonly clock: Clock,
  ) {}

  /** Never rejects: whoever watches must be able to see that something is wrong. */
  async refresh(): Promise<void> {
    const [facts, space, writable] = await Promise.all([
      this.#learn<CatalogFacts>('the catalog', () => this.facts.read()),
      this.#learn<StorageSpace>('the room on the disk', () => this.storages.open(LOCAL_DESTINATION).space()),
      this.#isWritable(),
    ]);
    this.metrics.showCatalog(facts);
    this.metrics.showSpace(space);
    this.metrics.showWritable(writable);
  }

  async #learn<T>(what: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#log.warn({ err: error }, `metrics are shown without ${what}, which cannot be read`);
      return undefined;
    }
  }

  /** A write that hangs is waited for by all the scrapes that come meanwhile; none begins another. */
  async #isWritable(): Promise<boolean> {
    this.#writing ??= this.probe
      .write()
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#writing = undefined;
      });
    const done = new AbortController();
    const late = this.clock.sleep(WRITE_MS, done.signal).then(
      () => false,
      () => false,
    );
    const writable = await Promise.race([this.#writing, late]);
    done.abort();
    return writable;
  }
}
