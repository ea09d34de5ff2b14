import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';

import { EventLog } from '../events/event-log.js';
import { backupEvent } from './backup-events.js';
import { EVIDENCE_LEVELS, type EvidenceName } from './backup-states.js';
import { Backup } from './backup.entity.js';

/** From here on a whole copy was compared and found equal. */
const COMPARED = EVIDENCE_LEVELS.indexOf('proven');

/** What showed a backup to be good, and when. */
export interface Evidence {
  name: EvidenceName;
  at: Date;
  /** Measured time of the restore that showed it, in milliseconds. */
  restoreMs?: number;
}

/** Raises the evidence of backups, and takes it away. */
@Injectable()
export class BackupEvidence {
  constructor(private readonly events: EventLog) {}

  /** Notes evidence in the caller's transaction. It never lowers: an older, weaker check says nothing against a stronger one. */
  async record(tx: EntityManager, backupId: string, evidence: Evidence): Promise<void> {
    const level = EVIDENCE_LEVELS.indexOf(evidence.name);
    const raised = await tx
      .createQueryBuilder()
      .update(Backup)
      .set({
        evidenceLevel: level,
        evidenceAt: evidence.at,
        evidenceRestoreMs: evidence.restoreMs ?? null,
        ...(level >= COMPARED && { differedAt: null, differedRestoreId: null }),
      })
      .where("id = :backupId AND status = 'completed' AND COALESCE(evidence_level, 0) <= :level", {
        backupId,
        level,
      })
      .execute();
    if (raised.affected !== 1) return;
    this.events.append(tx, backupEvent('EvidenceRaised', await tx.findOneByOrFail(Backup, { id: backupId })));
  }

  /**
   * Notes, in the caller's transaction, that a restored copy was not what had been backed up. Evidence stays: what was shown has been
   * shown, the archive was read whole, and a trigger or an extension of the target may be the cause. People must see it, though.
   */
  async noteDifference(tx: EntityManager, backupId: string, restoreId: string, at: Date): Promise<void> {
    const differed = { differedAt: at, differedRestoreId: restoreId };
    const noted = await tx.update(Backup, { id: backupId, status: 'completed' }, differed);
    if (noted.affected !== 1) return;
    const event = backupEvent('BackupDiffered', await tx.findOneByOrFail(Backup, { id: backupId }));
    this.events.append(tx, { ...event, facts: { ...event.facts, restore_id: restoreId } });
  }

  /** Takes all evidence away, in the caller's transaction: no copy of the backup can be read. */
  async takeAway(tx: EntityManager, backupId: string): Promise<void> {
    const none = { evidenceLevel: null, evidenceAt: null, evidenceRestoreMs: null };
    const lost = await tx.update(
      Backup,
      { id: backupId, status: 'completed', evidenceLevel: Not(IsNull()) },
      none,
    );
    if (lost.affected !== 1) return;
    this.events.append(tx, backupEvent('EvidenceLost', await tx.findOneByOrFail(Backup, { id: backupId })));
  }
}
