const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Offsets are looked for in blocks of four days: the same at both ends means the same within. In the tz database since 1970 the
 * shortest stay of two changes that undo one another is 6.96 days (Boa Vista in 2000, Gaza in years to come).
 */
const BLOCK_MS = 4 * DAY_MS;
/** No zone is further from UTC than 14 h; a local time is looked for so far around. */
const FURTHEST_MS = 15 * HOUR_MS;
/** Blocks that are remembered for one zone, about 44 years; then all are forgotten. */
const BLOCKS_KEPT = 4000;

/** A stretch of time in which the zone's offset from UTC stays the same. All in milliseconds, `until` excluded. */
export interface OffsetSpan {
  from: number;
  until: number;
  offset: number;
}

/** When a local time is: once, never (the clock jumps over it), or twice (the clock goes back over it). */
export interface Instant {
  at: number;
  occurs: 'once' | 'never' | 'twice';
}

/**
 * One IANA zone, with what the platform (`Intl`) knows of it. "Local milliseconds" are what a wall clock of the zone shows, counted
 * as if it showed UTC; so that `new Date(local).getUTCHours()` is the hour on that wall.
 */
export class TimeZone {
  static readonly #known = new Map<string, TimeZone>();
  readonly #format: Intl.DateTimeFormat;
  readonly #blocks = new Map<number, readonly OffsetSpan[]>();

  private constructor(readonly name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The zone of this name, made once. @throws RangeError when the platform does not know it */
  static of(name: string): TimeZone {
    const known = this.#known.get(name) ?? new TimeZone(name);
    this.#known.set(name, known);
    return known;
  }

  /** What a wall clock of the zone shows at `at`, in local milliseconds. */
  toLocal(at: number): number {
    return at + this.offsetAt(at);
  }

  /** Milliseconds that the zone is ahead of UTC at `at`. */
  offsetAt(at: number): number {
    const spans = this.#spansOf(Math.floor(at / BLOCK_MS));
    for (const span of spans) if (at < span.until) return span.offset;
    throw new Error(`no offset of ${this.name} at ${at}`);
  }

  /**
   * When a wall clock of the zone shows `local`: the first time of two, and for a time that does not exist the moment at which the
   * clock jumps over it, which is the next valid instant.
   */
  toInstant(local: number): Instant {
    const first = Math.floor((local - FURTHEST_MS) / BLOCK_MS);
    const last = Math.floor((local + FURTHEST_MS) / BLOCK_MS);
    let found: number | undefined;
    let jump: number | undefined;
    for (let block = first; block <= last; block += 1) {
      for (const span of this.#spansOf(block)) {
        // The last millisecond before a jump already shows less than `local`, the first one after it shows more.
        if (jump === undefined && found === undefined && span.from + span.offset > local) jump = span.from;
        const at = local - span.offset;
        if (at < span.from || at >= span.until) continue;
        if (found !== undefined) return { at: found, occurs: 'twice' };
        found = at;
      }
    }
    if (found !== undefined) return { at: found, occurs: 'once' };
    if (jump === undefined) throw new Error(`${local} was not found in ${this.name}`);
    return { at: jump, occurs: 'never' };
  }

  #spansOf(block: number): readonly OffsetSpan[] {
    const kept = this.#blocks.get(block);
    if (kept !== undefined) return kept;
    if (this.#blocks.size >= BLOCKS_KEPT) this.#blocks.clear();
    const spans = this.#readSpans(block * BLOCK_MS, (block + 1) * BLOCK_MS);
    this.#blocks.set(block, spans);
    return spans;
  }

  /** Cut in halves until an offset is the same at both ends, or the change is found to the second. */
  #readSpans(from: number, until: number): OffsetSpan[] {
    const changes: { at: number; offset: number }[] = [];
    let offset = this.#readOffset(from);
    const firstOffset = offset;
    for (let start = from; ;) {
      const end = this.#readOffset(until);
      if (end === offset) break;
      let [low, high] = [start, until];
      while (high - low > 1000) {
        const middle = Math.floor((low + high) / 2000) * 1000;
        if (this.#readOffset(middle) === offset) low = middle;
        else high = middle;
      }
      offset = this.#readOffset(high);
      changes.push({ at: high, offset });
      start = high;
    }
    const ends = [...changes.map(({ at }) => at), until];
    return [{ at: from, offset: firstOffset }, ...changes].map((change, index) => ({
      from: change.at,
      until: ends[index] ?? until,
      offset: change.offset,
    }));
  }

  #readOffset(at: number): number {
    // As `11/28/2026, 17:38:31`. Not `formatToParts`, which takes nearly three times as long.
    const [month = 1, day, year = 0, hour, minute, second] =
      this.#format.format(at).match(/\d+/g)?.map(Number) ?? [];
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    // `at` may be before the whole second that the format shows.
    return local - Math.floor(at / 1000) * 1000;
  }
}

/** Whether the platform knows a zone of this name. Offsets such as `+02:00` are no zones: they know no daylight saving. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    TimeZone.of(name);
    return true;
  } catch {
    return false;
  }
}
