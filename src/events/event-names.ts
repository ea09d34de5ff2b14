/** Everything that is written down as an event, in the past tense. New names go to the end of their group; none is renamed. */
export const EVENT_NAMES = [
  'DatabaseRegistered',
  'DatabaseChanged',
  'DatabaseRemoved',
  'BackupQueued',
  'BackupStarted',
  /** Running before, waiting again: a retry, a shutdown or a dead worker. */
  'BackupRequeued',
  'BackupCompleted',
  'BackupFailed',
  'BackupCancelled',
  /** Retention chose it for removal; `facts` has the reasons. */
  'BackupRetired',
  /** Nobody can restore it from now on; its objects are being removed. */
  'BackupMarkedForRemoval',
  /** Its objects are gone. */
  'BackupExpired',
  'EvidenceRaised',
  /** No copy of it can be read: it is no longer known to be good for anything. */
  'EvidenceLost',
  /** A restored copy was not what had been backed up; `facts` has the restore. */
  'BackupDiffered',
  'RestoreQueued',
  'RestoreStarted',
  'RestoreRequeued',
  'RestoreCompleted',
  'RestoreFailed',
  'RestoreCancelled',
  'VerificationQueued',
  'VerificationStarted',
  'VerificationRequeued',
  'VerificationCompleted',
  /** It has found something wrong, or could not look; `facts` has the outcome. */
  'VerificationFailed',
  'VerificationCancelled',
  'ScheduleCreated',
  'ScheduleChanged',
  'ScheduleRemoved',
  /** A slot passed without its backup. */
  'ScheduleRunMissed',
  /** A slot came while the database's backup before was still at work. */
  'ScheduleRunSkipped',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** What an event may be about. */
export const SUBJECT_KINDS = ['database', 'backup', 'restore', 'schedule', 'verification'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];
