import { Injectable } from '@nestjs/common';

import { EngineRegistry } from '../engines/engine-registry.js';
import { reached } from '../process/phase-points.js';
import { ArchiveChecker } from './archive-checker.js';
import { DatabasePlacer } from './database-placer.js';
import { RestoreLoader } from './restore-loader.js';
import { RestorePreparer } from './restore-preparer.js';
import type { RunningRestore } from './restore-progress.js';
import { RestoreTargets } from './restore-targets.js';
import type { Restore } from './restore.entity.js';

/**
 * One attempt to restore. The archive is read to its end before the server is touched; then it is loaded beside everything
 * that exists, compared, and only then gets the name under which it was asked for. What an attempt leaves behind when it
 * fails is named in the row, and is for the caller to settle.
 */
@Injectable()
export class RestoreAttempt {
  constructor(
    private readonly engines: EngineRegistry,
    private readonly targets: RestoreTargets,
    private readonly archives: ArchiveChecker,
    private readonly preparer: RestorePreparer,
    private readonly loader: RestoreLoader,
    private readonly placer: DatabasePlacer,
  ) {}

  /** Brings `restore` to the stage `placed`, or rejects. */
  async run(restore: Restore, running: RunningRestore, signal: AbortSignal): Promise<void> {
    const set = await this.archives.open(restore, running, signal);
    reached('restore.archive-verified');
    const engine = this.engines.get(restore.engine);
    const connection = await this.targets.open(restore);
    const work = { restore, set, engine, connection, running, signal };
    const { replacesLive } = await this.preparer.prepare(work);
    const result = await this.loader.load(work);
    running.enter('swapping');
    await this.preparer.awaitSwap(work);
    await this.placer.place(restore, result, replacesLive);
  }

  /** What is left to do once `restore` is placed: drops the replaced database where that was asked for. Never rejects. */
  async tidy(restore: Restore): Promise<void> {
    const note = await this.placer.dropOld(restore);
    if (note !== undefined) restore.result?.notes.push(note);
  }
}
