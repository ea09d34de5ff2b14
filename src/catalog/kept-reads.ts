import type { Catalog } from './catalog.js';

/** How many are kept. What people and dashboards ask again and again are a few lists; the oldest one goes first. */
const MOST = 8;

/**
 * What was read from the catalog, kept until the catalog changes: whoever asks the same again is given the same without a query, and
 * those who ask at once share one reading. Never anything older than the last commit that somebody was told of: each reading is kept
 * under the revision that the catalog had *before* it began. Where other processes write too, nothing is kept.
 */
export class KeptReads<T> {
  readonly #kept = new Map<string, Promise<T>>();
  #revision: number | undefined;

  constructor(private readonly catalog: Pick<Catalog, 'revision'>) {}

  /**
   * @param key names what is read: the same key must mean the same question
   * @param read reads it, from the catalog and from nothing else that changes; when it fails, the next one who asks tries again
   */
  of(key: string, read: () => Promise<T>): Promise<T> {
    const { revision } = this.catalog;
    if (revision === undefined) return read();
    if (revision !== this.#revision) this.#kept.clear();
    this.#revision = revision;
    const kept = this.#kept.get(key);
    return kept ?? this.#keep(key, read());
  }

  #keep(key: string, reading: Promise<T>): Promise<T> {
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= MOST) this.#kept.delete(oldest);
    this.#kept.set(key, reading);
    reading.catch(() => {
      if (this.#kept.get(key) === reading) this.#kept.delete(key);
    });
    return reading;
  }
}
