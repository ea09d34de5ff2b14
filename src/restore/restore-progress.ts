import { Injectable } from '@nestjs/common';

import type { RestorePhase } from './restore-states.js';

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
  readonly progress: RestoreProgress = { phase: 'recovering', ...NOTHING_YET };

  enter(phase: RestorePhase, bytesTotal: number | null = null): void {
    Object.assign(this.progress, { phase, ...NOTHING_YET, bytesTotal });
  }
}

const NOTHING_YET = { bytes: 0, bytesTotal: null, item: null, itemsDone: 0, itemsTotal: null };

/** Where runners show, and views look up, what runs in this process now. */
@Injectable()
export class RunningRestores {
  readonly #running = new Map<string, RunningRestore>();

  begin(restoreId: string): RunningRestore {
    const running = new RunningRestore();
    this.#running.set(restoreId, running);
    return running;
  }

  end(restoreId: string): void {
    this.#running.delete(restoreId);
  }

  of(restoreId: string): RunningRestore | undefined {
    return this.#running.get(restoreId);
  }
}
