import type { PhasePoint } from '../../src/process/phase-points.ts';
import type { Service } from '../support/service.ts';
import type { CrashWorld } from './crash-world.ts';

/** Asks a service of a world for some work. */
type Act = (world: CrashWorld) => (service: Service) => Promise<unknown>;

export const backUp: Act = () => (service) => service.request('POST', '/backups', { database_id: 'shop' });
/** Of a database that is not there. */
const fail: Act = () => (service) => service.request('POST', '/backups', { database_id: 'broken' });
export const restoreBeside: Act = (world) => (service) =>
  service.request('POST', `/backups/${world.backups.copy.id}/restore`, {});
export const replace: Act = (world) => (service) =>
  service.request('POST', `/backups/${world.backups.copy.id}/restore`, {
    mode: 'replace',
    confirm: 'copy',
    keep_old: false,
  });
/** Has the engine read a backup again. */
export const verify: Act = (world) => (service) =>
  service.request('POST', `/backups/${world.backups.copy.id}/verify`, {});
export const remove: Act = () => async (service) => {
  const made = await service.request<{ id: string }>('POST', '/backups?wait=completed', {
    database_id: 'shop',
  });
  await service.request('DELETE', `/backups/${made.body.id}?force=true`);
};

/** A point, what leads to it, and where the service died before when the point is one of recovery. */
export interface Death {
  point: PhasePoint;
  by: Act;
  after?: PhasePoint;
}

/** In the order in which they come, backups and removals. */
export const BACKUP_DEATHS: Death[] = [
  { point: 'backup.claimed', by: backUp },
  { point: 'backup.settled', by: backUp },
  { point: 'backup.started', by: backUp },
  { point: 'backup.dump-opened', by: backUp },
  { point: 'backup.names-reserved', by: backUp },
  { point: 'storage.part-created', by: backUp },
  { point: 'storage.chunk-written', by: backUp },
  { point: 'storage.part-flushed', by: backUp },
  { point: 'storage.object-visible', by: backUp },
  { point: 'backup.archive-stored', by: backUp },
  { point: 'backup.content-counted', by: backUp },
  { point: 'backup.manifest-stored', by: backUp },
  { point: 'backup.completed', by: backUp },
  { point: 'backup.failing', by: fail },
  { point: 'settling.manifest-found', by: backUp, after: 'backup.manifest-stored' },
  { point: 'settling.archive-confirmed', by: backUp, after: 'backup.manifest-stored' },
  { point: 'sweep.part-deleted', by: backUp, after: 'storage.chunk-written' },
  { point: 'copy.discarding', by: backUp, after: 'backup.archive-stored' },
  { point: 'copy.object-deleted', by: backUp, after: 'backup.archive-stored' },
  { point: 'copy.discarded', by: backUp, after: 'backup.archive-stored' },
  { point: 'removal.requested', by: remove },
  { point: 'removal.claimed', by: remove },
  { point: 'copy.discarding', by: remove },
  { point: 'copy.object-deleted', by: remove },
  { point: 'copy.discarded', by: remove },
  { point: 'removal.objects-gone', by: remove },
  { point: 'removal.expired', by: remove },
];

export const RESTORE_DEATHS: Death[] = [
  { point: 'restore.claimed', by: restoreBeside },
  { point: 'restore.settled', by: restoreBeside },
  { point: 'restore.started', by: restoreBeside },
  { point: 'restore.archive-verified', by: restoreBeside },
  { point: 'restore.fresh-announced', by: restoreBeside },
  { point: 'restore.fresh-created', by: restoreBeside },
  { point: 'restore.bytes-loaded', by: restoreBeside },
  { point: 'restore.loaded', by: restoreBeside },
  { point: 'restore.compared', by: restoreBeside },
  { point: 'restore.placing-announced', by: restoreBeside },
  { point: 'restore.names-changed', by: restoreBeside },
  { point: 'restore.placed', by: restoreBeside },
  { point: 'restore.completed', by: restoreBeside },
  { point: 'restore.safety-requested', by: replace },
  { point: 'restore.safety-taken', by: replace },
  { point: 'restore.loaded', by: replace },
  { point: 'restore.placing-announced', by: replace },
  { point: 'restore.names-changed', by: replace },
  { point: 'restore.placed', by: replace },
  { point: 'restore.old-dropped', by: replace },
  { point: 'restore.completed', by: replace },
  { point: 'restore.fenced', by: restoreBeside, after: 'restore.loaded' },
  { point: 'restore.fresh-dropped', by: restoreBeside, after: 'restore.loaded' },
  { point: 'restore.settled', by: replace, after: 'restore.names-changed' },
];

export const VERIFICATION_DEATHS: Death[] = [
  { point: 'verification.claimed', by: verify },
  { point: 'verification.started', by: verify },
  { point: 'verification.bytes-read', by: verify },
  { point: 'verification.copy-read', by: verify },
  { point: 'verification.ended', by: verify },
  { point: 'verification.started', by: verify, after: 'verification.bytes-read' },
];

/** Points of a verification that finds something; see `dieOverFault` in the test that dies there. */
export const FAULT_POINTS = ['copy.fault-noted', 'verification.ended', 'copy.fault-cleared'] as const;

/** How an action is called in the name of a test. */
const DEEDS = new Map<Act, string>([
  [backUp, 'a backup'],
  [fail, 'a failing backup'],
  [restoreBeside, 'a restore beside'],
  [verify, 'a verification'],
  [replace, 'a restore in place'],
  [remove, 'a removal'],
]);

export function titleOf({ point, by, after }: Death): string {
  const recovery = after === undefined ? '' : `, recovering from a death at ${after}`;
  return `${DEEDS.get(by)} at ${point}${recovery}`;
}
