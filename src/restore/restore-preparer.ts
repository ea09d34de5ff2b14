import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { DatabaseInUseError } from '../engines/tools.errors.js';
import { reached } from '../process/phase-points.js';
import { RestoreMoves } from './restore-moves.js';
import { ownerOf, restoringName } from './restore-names.js';
import type { RestoreWork } from './restore-work.js';
import { SafetyBackups } from './safety-backups.js';
import { TargetInspector } from './target-inspector.js';

/** How long sessions of ours may outlive the backup that they belong to. */
const OURS_END_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 200;

/** Makes the room for a restore: an empty database beside everything else, and a safety backup of what is to be replaced. */
@Injectable()
export class RestorePreparer {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly inspector: TargetInspector,
    private readonly moves: RestoreMoves,
    private readonly safety: SafetyBackups,
  ) {}

  /**
   * Brings `work.restore` to the stage `loading`, and gives whether there is a database to replace.
   * @throws `target-database-exists`, `database-in-use`, `server-too-old`, `permission-denied`, `safety-backup-failed`
   */
  async prepare(work: RestoreWork): Promise<{ replacesLive: boolean }> {
    const { restore, running, signal } = work;
    running.enter('preparing');
    const replacesLive = await this.#look(work);
    await this.#create(work, replacesLive);
    if (replacesLive && restore.safetyBackup) {
      running.enter('safety_backup');
      await this.safety.take(restore, signal);
      reached('restore.safety-taken');
    }
    return { replacesLive };
  }

  /** Waits until the live database can be swapped without breaking a backup of it. */
  async awaitSwap({ restore, signal }: RestoreWork): Promise<void> {
    if (restore.mode === 'replace') await this.safety.untilNoneRuns(restore, signal);
    signal.throwIfAborted();
  }

  async #look(work: RestoreWork): Promise<boolean> {
    const { restore, engine, connection, signal } = work;
    const { targetDatabaseName: name, endConnections: endSessions } = restore;
    if (restore.mode === 'replace') {
      return this.#whileOursEnd(work, () =>
        this.inspector.refuseUnlessReplaceable(engine, connection, name, { endSessions }, signal),
      );
    }
    await this.inspector.refuseExisting(engine, connection, name, signal);
    return false;
  }

  /**
   * A database that only a backup of ours uses is not in use by others. After a crash that is the safety backup of the attempt
   * before, which recovers at the same time as we do, or what it has left on the server, which ends in moments.
   */
  async #whileOursEnd({ restore, signal }: RestoreWork, look: () => Promise<boolean>): Promise<boolean> {
    let untilMs = this.clock.monotonicMs() + OURS_END_WITHIN_MS;
    for (;;) {
      if (await this.safety.untilNoneRuns(restore, signal)) {
        untilMs = this.clock.monotonicMs() + OURS_END_WITHIN_MS;
      }
      try {
        return await look();
      } catch (error) {
        if (!isOurUse(error) || this.clock.monotonicMs() >= untilMs) throw error;
        await this.clock.sleep(LOOK_AGAIN_MS, signal);
      }
    }
  }

  /** Before the safety backup, which may take hours: a server that is too old, or a missing right, shows at once. */
  async #create(
    { restore, set, engine, connection, signal }: RestoreWork,
    replacesLive: boolean,
  ): Promise<void> {
    const { targetDatabaseName, id, attempt } = restore;
    const { maxDatabaseNameBytes, renames } = engine.traits;
    // Where a rename copies everything, what replaces nothing is loaded under its final name; the engine's `create` holds it.
    const freshName =
      renames === 'stepwise' && !replacesLive
        ? targetDatabaseName
        : restoringName(targetDatabaseName, id, attempt, maxDatabaseNameBytes);
    await this.catalog.write((tx) => this.moves.enterStage(tx, restore, 'loading', { freshName }));
    Object.assign(restore, { stage: 'loading', freshName });
    reached('restore.fresh-announced');
    const made = { like: set.manifest.server, owner: ownerOf(restore) };
    await engine.databases.create(connection, freshName, made, { signal });
    reached('restore.fresh-created');
  }
}

/** Whether a database is refused only because of sessions that Backstop itself has opened; engines name them so. */
function isOurUse(error: unknown): boolean {
  return (
    error instanceof DatabaseInUseError &&
    error.sessions.length > 0 &&
    error.sessions.every(({ application }) => /^backstop [0-9a-f]{8}$/.test(application))
  );
}
