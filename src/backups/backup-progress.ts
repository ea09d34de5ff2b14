import { Injectable } from '@nestjs/common';

import { type ProgressReport, ProgressSources } from '../events/progress-sources.js';
import type { BackupPhase } from './backup-states.js';
import type { Backup } from './backup.entity.js';
import { ToolLog } from './tool-log.js';

/** How far a running backup is. Lives in the memory of the process that runs it; a row is no place for ten updates a second. */
export interface BackupProgress {
  phase: BackupPhase;
  /** Plain bytes that have left the dump. */
  bytes: number;
  /** Table or collection being worked on. */
  item: string | null;
  itemsDone: number;
  itemsTotal: number | null;
  /** From 0 to 1, by size; null while it is unknown. */
  share: number | null;
}

/** A running backup as seen from outside the runner. */
export class RunningBackup {
  constructor(private readonly backup: RunningRow) {}

  readonly log = new ToolLog();
  readonly progress: BackupProgress = {
    phase: 'connecting',
    bytes: 0,
    item: null,
    itemsDone: 0,
    itemsTotal: null,
    share: null,
  };

  enter(phase: BackupPhase): void {
    this.progress.phase = phase;
    if (phase !== 'dumping') this.progress.item = null;
  }

  report(): ProgressReport {
    const { id, databaseId, databaseName } = this.backup;
    return {
      subject: { kind: 'backup', id },
      database: { id: databaseId, name: databaseName },
      bytesTotal: null,
      ...this.progress,
    };
  }
}

/** What of the row does not change while it runs. */
type RunningRow = Pick<Backup, 'id' | 'databaseId' | 'databaseName'>;

/** Where runners show, and views look up, what runs in this process now. */
@Injectable()
export class RunningBackups {
  readonly #running = new Map<string, RunningBackup>();

  constructor(sources: ProgressSources) {
    sources.add(() => [...this.#running.values()].map((running) => running.report()));
  }

  begin(backup: RunningRow): RunningBackup {
    const running = new RunningBackup(backup);
    this.#running.set(backup.id, running);
    return running;
  }

  end(backupId: string): void {
    this.#running.delete(backupId);
  }

  of(backupId: string): RunningBackup | undefined {
    return this.#running.get(backupId);
  }
}
