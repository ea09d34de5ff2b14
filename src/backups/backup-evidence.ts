import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';

import { EventLog } from '../events/event-log.js';
import { backupEvent } from './backup-events.js';
import { EVIDENCE_LEVELS, type EvidenceName } from './backup-states.js';
import { Backup } from './backup.entity.js';

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
      .set({ evidenceLevel: level, evidenceAt: evidence.at, evidenceRestoreMs: evidence.restoreMs ?? null })
      .where("id = :backupId AND status = 'completed' AND COALESCE(evidence_level, 0) <= :level", {
        backupId,
        level,
      })
      .execute();
    if (raised.affected !== 1) return;
    this.events.append(tx, backupEvent('EvidenceRaised', await tx.findOneByOrFail(Backup, { id: backupId })));
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
