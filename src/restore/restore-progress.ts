import { Injectable } from '@nestjs/common';

import { type ProgressReport, ProgressSources } from '../events/progress-sources.js';
import type { RestorePhase } from './restore-states.js';
import type { Restore } from './restore.entity.js';

/** How far a running restore is. Lives in the memory of the process that runs it. */
export interface RestoreProgress {
  phase: RestorePhase;
  /** Stored bytes checked while verifying, plain bytes loaded while restoring. */
  bytes: number;
  bytesTotal: number | null;
  /** Table or collection being worked on. */
  item: string | null;
  itemsDone: number;
  itemsTotal: number | null;
}

/** A running restore as seen from outside the runner. */
export class RunningRestore {
  constructor(private readonly restore: RunningRow) {}

  readonly progress: RestoreProgress = { phase: 'recovering', ...NOTHING_YET };

  enter(phase: RestorePhase, bytesTotal: number | null = null): void {
    Object.assign(this.progress, { phase, ...NOTHING_YET, bytesTotal });
  }

  report(): ProgressReport {
    const { id, targetDatabaseId, targetDatabaseName } = this.restore;
    return {
      subject: { kind: 'restore', id },
      database: { id: targetDatabaseId, name: targetDatabaseName },
      ...this.progress,
    };
  }
}

/** What of the row does not change while it runs. */
type RunningRow = Pick<Restore, 'id' | 'targetDatabaseId' | 'targetDatabaseName'>;

const NOTHING_YET = { bytes: 0, bytesTotal: null, item: null, itemsDone: 0, itemsTotal: null };

/** Where runners show, and views look up, what runs in this process now. */
@Injectable()
export class RunningRestores {
  readonly #running = new Map<string, RunningRestore>();

  constructor(sources: ProgressSources) {
    sources.add(() => [...this.#running.values()].map((running) => running.report()));
  }

  begin(restore: RunningRow): RunningRestore {
    const running = new RunningRestore(restore);
    this.#running.set(restore.id, running);
    return running;
  }

  end(restoreId: string): void {
    this.#running.delete(restoreId);
  }

  of(restoreId: string): RunningRestore | undefined {
    return this.#running.get(restoreId);
  }
}
