import type { BackupCopy } from './backup-copy.entity.js';
import type { CopyState } from './backup-states.js';

/** What reading a copy has shown against it. */
export class CopyFaultView {
  /**
   * Each code has a page: GET /docs/problems/{code}.
   * @example 'archive-damaged'
   */
  code: string;
  /**
   * What was found.
   * @example 'The archive "shop/backup_shop_20261121_030000.dump.zst" is damaged: it does not have the size that its manifest names.'
   */
  detail: string;
  /**
   * When it was found last, in UTC.
   * @example '2026-11-21T03:00:41.000Z'
   */
  at: string;
}

/** One archive at one destination. */
export class CopyView {
  /**
   * Name of the destination where it lies.
   * @example 'local'
   */
  destination: string;
  /**
   * Path of the archive within the destination; its other objects lie beside it.
   * @example 'shop/backup_shop_20261121_030000.dump.zst'
   */
  key: string;
  /**
   * Only `stored` is whole: `writing` is not finished, `damaged` and `missing` could not be read when somebody tried, and
   * `discarding` is being removed.
   * @example 'stored'
   */
  state: CopyState;
  /** Why it is `damaged` or `missing`. It is `stored` again as soon as a restore, a download or a verification reads it whole. */
  fault?: CopyFaultView;
}

/** The wire form of a copy. */
export function toCopyView({
  destination,
  key,
  state,
  faultAt,
  faultCode,
  faultDetail,
}: BackupCopy): CopyView {
  if (faultAt === null || faultCode === null) return { destination, key, state };
  const fault = { code: faultCode, detail: faultDetail ?? '', at: faultAt.toISOString() };
  return { destination, key, state, fault };
}
