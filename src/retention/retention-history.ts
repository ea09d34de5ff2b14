import type { EntityManager } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import type { PlannedBackup } from './retention-planner.js';

/** A backup as the planner sees it, with what people want to read beside it. */
export interface KnownBackup extends PlannedBackup {
  filename: string | null;
  sizeBytes: number;
  createdAt: string;
  keepReasons: string | null;
}

interface Row {
  id: string;
  status: 'completed' | 'failed';
  filename: string | null;
  size: unknown;
  created: string;
  started: string | null;
  ended: string | null;
  locked: unknown;
  evidence: number | null;
  days: number | null;
  schedule: string | null;
  reasons: string | null;
}

/**
 * Everything that retention has to know of one database: its completed backups, and the newest that failed. Raw rows, since there may
 * be a hundred thousand of them.
 */
export async function readHistory(entities: EntityManager, databaseId: string): Promise<KnownBackup[]> {
  const rows = (status: 'completed' | 'failed') =>
    entities
      .createQueryBuilder(Backup, 'b')
      .select(['b.id AS id', 'b.status AS status', 'b.filename AS filename', 'b.size_bytes AS size'])
      .addSelect(['b.created_at AS created', 'b.started_at AS started', 'b.completed_at AS ended'])
      .addSelect(['b.locked AS locked', 'b.evidence_level AS evidence', 'b.retention_days AS days'])
      .addSelect(['b.schedule_id AS schedule', 'b.keep_reasons AS reasons'])
      .where('b.database_id = :databaseId AND b.status = :status', { databaseId, status });
  const completed = await rows('completed').getRawMany<Row>();
  const failed = await rows('failed').orderBy('b.completed_at', 'DESC').limit(1).getRawMany<Row>();
  return [...completed, ...failed].map(toKnown);
}

/** A backup without a readable copy has no evidence (see `CopyFaults`): such a one is not good. */
function toKnown(row: Row): KnownBackup {
  const takenAt = Date.parse(row.started ?? row.created);
  return {
    id: row.id,
    status: row.status,
    takenAt,
    endedAt: row.ended === null ? takenAt : Date.parse(row.ended),
    locked: Boolean(row.locked),
    evidenceLevel: row.evidence ?? 0,
    isGood: row.evidence !== null,
    retentionDays: row.days,
    scheduleId: row.schedule,
    filename: row.filename,
    sizeBytes: Number(row.size ?? 0),
    createdAt: row.created,
    keepReasons: row.reasons,
  };
}
