import type { Backup } from './backup.entity.js';

/** A restore whose copy was not what had been backed up. */
export class DifferenceView {
  /**
   * The restore; its error says what differed.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  restore_id: string;
  /**
   * When it was found, in UTC.
   * @example '2026-11-21T03:00:41.000Z'
   */
  at: string;
}

/** The wire form; null: none, or a later one was equal. */
export function toDifferenceView({ differedAt, differedRestoreId }: Backup): DifferenceView | null {
  if (differedAt === null || differedRestoreId === null) return null;
  return { restore_id: differedRestoreId, at: differedAt.toISOString() };
}
