import { Injectable } from '@nestjs/common';

import type { SubjectKind } from './event-names.js';

/** How far some running work is. Lives in memory: a row is no place for ten updates a second. */
export interface ProgressReport {
  subject: { kind: SubjectKind; id: string };
  database: { id: string | null; name: string };
  phase: string;
  bytes: number;
  bytesTotal: number | null;
  item: string | null;
  itemsDone: number;
  itemsTotal: number | null;
}

/** Where rooms that run work make known how it can be watched, since the stream cannot import them. */
@Injectable()
export class ProgressSources {
  readonly #sources: (() => readonly ProgressReport[])[] = [];

  add(source: () => readonly ProgressReport[]): void {
    this.#sources.push(source);
  }

  /** What runs in this process now. */
  running(): ProgressReport[] {
    return this.#sources.flatMap((source) => source());
  }
}
