import type { Backup } from './backup.entity.js';

/** What keeps a backup from being removed. */
export class RemovalErrorView {
  /**
   * Each code has a page: GET /docs/problems/{code}.
   * @example 'storage-unavailable'
   */
  code: string;
  /**
   * What happened, to what, and what to do.
   * @example 'The backup folder /backups is not there.'
   */
  detail: string;
  /**
   * When it was tried last, in UTC. It is tried again every minute.
   * @example '2026-11-21T03:00:41.000Z'
   */
  at: string;
}

/** The wire form; null: nothing is in the way. */
export function toRemovalErrorView(row: Backup): RemovalErrorView | null {
  const { removalErrorCode: code, removalErrorDetail: detail, removalErrorAt: at } = row;
  return code === null || at === null ? null : { code, detail: detail ?? '', at: at.toISOString() };
}
