/** Words of a restore's life. See `restore-lifecycle.ts` for which may follow which. */
export const RESTORE_STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type RestoreStatus = (typeof RESTORE_STATUSES)[number];

/** `new`: into a database that does not exist yet. `replace`: in the place of an existing one. */
export const RESTORE_MODES = ['new', 'replace'] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

/** What a running restore is doing now, in order. */
export const RESTORE_PHASES = [
  'recovering',
  'verifying',
  'preparing',
  'safety_backup',
  'restoring',
  'comparing',
  'swapping',
  'cleaning',
] as const;
export type RestorePhase = (typeof RESTORE_PHASES)[number];

/**
 * How far a restore has changed its server. Each is committed *before* what it names begins, except for `placed`, so that
 * after a crash the row, together with the names of the databases on the server, tells what is there:
 *
 * - `nothing`: no database of ours is there.
 * - `loading`: `fresh_name` may be there, and is worth nothing yet.
 * - `placing`: `fresh_name` equalled the manifest, and may have been given its final name.
 * - `placed`: it has been.
 */
export const RESTORE_STAGES = ['nothing', 'loading', 'placing', 'placed'] as const;
export type RestoreStage = (typeof RESTORE_STAGES)[number];
