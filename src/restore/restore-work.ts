import type { ArchiveSet } from '../backups/stored-manifest.js';
import type { Connection, Engine } from '../engines/engine.js';
import type { RunningRestore } from './restore-progress.js';
import type { Restore } from './restore.entity.js';

/** What one attempt works with. Holds an opened password: never log it. */
export interface RestoreWork {
  /** Kept up to date with the row. */
  restore: Restore;
  /** Verified. */
  set: ArchiveSet;
  engine: Engine;
  connection: Connection;
  running: RunningRestore;
  signal: AbortSignal;
}
