import { channel } from 'node:diagnostics_channel';

/** Name of the diagnostics channel on which a process says where in its work it is. */
export const PHASE_CHANNEL = 'backstop:phase';

/**
 * Every line on which dying has consequences of its own. A name says what has just become true; each is reached directly
 * after the step that it names, and before anything else happens. The list is closed, so that a test can go through all of it.
 */
export const PHASE_POINTS = [
  // One attempt at a backup, in the order of the commit protocol.
  'backup.claimed',
  'backup.settled',
  'backup.started',
  'backup.dump-opened',
  'backup.names-reserved',
  'backup.archive-stored',
  'backup.content-counted',
  'backup.manifest-stored',
  'backup.completed',
  'backup.failing',
  // One object on its way into a local folder.
  'storage.part-created',
  'storage.chunk-written',
  'storage.part-flushed',
  'storage.object-visible',
  // What a dead attempt was worth.
  'settling.manifest-found',
  'settling.archive-confirmed',
  // The objects of a copy that nobody wants any more, of whatever reason.
  'copy.discarding',
  'copy.object-deleted',
  'copy.discarded',
  // A backup that is removed on request or by its policy.
  'removal.requested',
  'removal.claimed',
  'removal.objects-gone',
  'removal.expired',
  // What dead processes have left at a destination.
  'sweep.part-deleted',
  'sweep.orphan-found',
  // One attempt at a restore.
  'restore.claimed',
  'restore.fenced',
  'restore.settled',
  'restore.started',
  'restore.archive-verified',
  'restore.fresh-announced',
  'restore.fresh-created',
  'restore.safety-requested',
  'restore.safety-taken',
  'restore.bytes-loaded',
  'restore.loaded',
  'restore.compared',
  'restore.placing-announced',
  'restore.names-changed',
  'restore.placed',
  'restore.old-dropped',
  'restore.completed',
  'restore.fresh-dropped',
  // What reading has shown of a copy was written down, for whoever had read it.
  'copy.fault-noted',
  'copy.fault-cleared',
  // One attempt at a verification.
  'verification.claimed',
  'verification.started',
  'verification.bytes-read',
  'verification.copy-read',
  'verification.ended',
] as const;
export type PhasePoint = (typeof PHASE_POINTS)[number];

const phases = channel(PHASE_CHANNEL);

/**
 * Says that this process has got to a point. Nobody listens in production, and it costs a look at a flag then. A test
 * subscribes from outside (`node --import …`), to end the process exactly here; so this is no switch, and changes nothing.
 */
export function reached(point: PhasePoint): void {
  if (phases.hasSubscribers) phases.publish(point);
}
