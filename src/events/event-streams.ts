import { Injectable } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { Queue } from '../queue/queue.js';
import { type EventFilter, isWanted } from './event-filter.js';
import { EventQueries } from './event-queries.js';
import { toEventView, toProgressEventView } from './event.view.js';
import { type ProgressReport, ProgressSources } from './progress-sources.js';
import type { SseWriter } from './sse-writer.js';

/** What a listener asked for. */
export interface Listening {
  filter: EventFilter;
  /** Begins behind this event; undefined: with what happens from now on. */
  after: number | undefined;
  progress: boolean;
}

/** How often the catalog is asked for news, how often progress is told at most, and how long a stream is silent at most. */
const LOOK_EVERY_MS = 200;
const PROGRESS_EVERY_MS = 1000;
const SILENT_MS = 15_000;
/** Events read at once. */
const BATCH = 100;

/**
 * Tells listeners what happens. The table of events is the queue of each of them: a listener has a position in it and nothing
 * else, so a slow one costs no memory, and one that comes back misses nothing.
 */
@Injectable()
export class EventStreams {
  constructor(
    private readonly queries: EventQueries,
    private readonly sources: ProgressSources,
    private readonly queue: Queue,
    private readonly clock: Clock,
  ) {}

  /**
   * Tells until the client goes, or the service has ended its work and told of it.
   * @throws the signal's reason when the client has gone, SlowListenerError
   */
  async tell(listening: Listening, writer: SseWriter, gone: AbortSignal): Promise<void> {
    const newest = await this.queries.newest();
    const stream = new EventStream(listening, writer, newest, this.clock.monotonicMs());
    await writer.begin();
    await stream.comeBackFromAhead(newest);
    const wake = AbortSignal.any([gone, this.queue.stopped]);
    for (;;) {
      const isLast = this.queue.stopped.aborted;
      await this.#tellNews(stream, await (isLast ? this.queries.newest() : this.queries.newestOfLate()));
      const nowMs = this.clock.monotonicMs();
      if (listening.progress) await stream.progress(this.sources.running(), nowMs);
      await stream.breathe(nowMs);
      if (isLast) return writer.end();
      await this.clock.sleep(LOOK_EVERY_MS, wake).catch(() => undefined);
      gone.throwIfAborted();
    }
  }

  async #tellNews(stream: EventStream, newest: number): Promise<void> {
    while (stream.position < newest) {
      const events = await this.queries.after(stream.position, BATCH);
      if (events.length === 0) return;
      for (const event of events) await stream.event(event, this.clock.monotonicMs());
    }
  }
}

type Stored = Parameters<typeof toEventView>[0];

/** One listener's place in the list of events. */
class EventStream {
  position: number;
  #lastWriteMs: number;
  #lastProgressMs = Number.NEGATIVE_INFINITY;
  #lastProgress = new Map<string, string>();

  constructor(
    private readonly listening: Listening,
    private readonly writer: SseWriter,
    newest: number,
    nowMs: number,
  ) {
    this.position = listening.after ?? newest;
    this.#lastWriteMs = nowMs;
  }

  /** A position ahead of the newest event is of another catalog: the listener is told, and begins here and now. */
  async comeBackFromAhead(newest: number): Promise<void> {
    if (this.position <= newest) return;
    await this.writer.entry({ event: 'EventsMissed', id: newest, data: { after: this.position, newest } });
    this.position = newest;
  }

  async event(event: Stored, nowMs: number): Promise<void> {
    // Numbers have no holes, so a jump means that what was between is too old and gone.
    if (event.number !== this.position + 1) {
      const data = { after: this.position, oldest: event.number };
      await this.writer.entry({ event: 'EventsMissed', data });
    }
    this.position = event.number;
    if (!isWanted(this.listening.filter, event)) return;
    await this.writer.entry({ event: event.name, id: event.number, data: toEventView(event) });
    this.#lastWriteMs = nowMs;
  }

  /** Tells of running work whose progress has changed, at most once a second. */
  async progress(running: readonly ProgressReport[], nowMs: number): Promise<void> {
    if (nowMs - this.#lastProgressMs < PROGRESS_EVERY_MS) return;
    const told = new Map<string, string>();
    for (const report of running) {
      const { subject, database } = report;
      const about = { subjectId: subject.id, databaseId: database.id, databaseName: database.name };
      if (!isWanted(this.listening.filter, about)) continue;
      const data = toProgressEventView(report);
      const text = JSON.stringify(data);
      told.set(subject.id, text);
      if (this.#lastProgress.get(subject.id) === text) continue;
      await this.writer.entry({ event: 'Progress', data });
      this.#lastWriteMs = nowMs;
      this.#lastProgressMs = nowMs;
    }
    this.#lastProgress = told;
  }

  async breathe(nowMs: number): Promise<void> {
    if (nowMs - this.#lastWriteMs < SILENT_MS) return;
    await this.writer.heartbeat(this.position);
    this.#lastWriteMs = nowMs;
  }
}
