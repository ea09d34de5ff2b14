/** Words of a backup's life. See `backup-lifecycle.ts` for which may follow which. */
export const BACKUP_STATUSES = [
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
  'expiring',
  'expired',
] as const;
export type BackupStatus = (typeof BACKUP_STATUSES)[number];

/** Why a backup was made. */
export const BACKUP_TRIGGERS = ['manual', 'scheduled', 'pre_restore'] as const;
export type BackupTrigger = (typeof BACKUP_TRIGGERS)[number];

/** What a backup is doing now, in order. */
export const BACKUP_PHASES = [
  'recovering',
  'connecting',
  'dumping',
  'counting',
  'committing',
  'cleaning',
] as const;
export type BackupPhase = (typeof BACKUP_PHASES)[number];

/**
 * States of a copy: the objects of one attempt at one destination. `writing` is committed before the first byte is stored and
 * `discarding` before the first object is removed, so after a crash the rows name every object that may exist. `damaged` and
 * `missing` are stored copies that somebody could not read; they are `stored` again when they have been read whole.
 */
export const COPY_STATES = ['writing', 'stored', 'damaged', 'missing', 'discarding', 'discarded'] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** Copies whose objects were all stored once; good ones first. */
export const FINISHED_COPIES = ['stored', 'damaged', 'missing'] as const satisfies readonly CopyState[];

/** The evidence ladder: how far a backup has been shown to be good. The index is the level. */
export const EVIDENCE_LEVELS = ['stored', 'intact', 'readable', 'restorable', 'proven', 'accepted'] as const;
export type EvidenceName = (typeof EVIDENCE_LEVELS)[number];
