import type { EvidenceName } from '../backups/backup-states.js';

/** Words of a verification's life, those of a restore. See `verification-lifecycle.ts` for which may follow which. */
export const VERIFICATION_STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type VerificationStatus = (typeof VERIFICATION_STATUSES)[number];

/** Rungs of the evidence ladder that a verification may be asked to show. */
export const VERIFICATION_LEVELS = [
  'intact',
  'readable',
  'restorable',
  'proven',
  'accepted',
] as const satisfies readonly EvidenceName[];
export type VerificationLevel = (typeof VERIFICATION_LEVELS)[number];

/** Those of them that need no scratch server, the lowest first. */
export const SCRATCHLESS_LEVELS = ['intact', 'readable'] as const satisfies readonly VerificationLevel[];
export type ScratchlessLevel = (typeof SCRATCHLESS_LEVELS)[number];

/** What a verification is asked for when nobody says it: the highest that can run here. */
export const DEFAULT_LEVEL: ScratchlessLevel = 'readable';

/** Why it was made. */
export const VERIFICATION_TRIGGERS = ['manual'] as const;
export type VerificationTrigger = (typeof VERIFICATION_TRIGGERS)[number];

/** What a running verification is doing now: `reading` copies as they are stored, or having the engine read them. */
export const VERIFICATION_PHASES = ['opening', 'reading', 'inspecting'] as const;
export type VerificationPhase = (typeof VERIFICATION_PHASES)[number];

/**
 * What a verification has shown. `failed`: something is wrong with the backup. `unknown`: it could not be looked at, so nothing is
 * known; never to be taken for one of the others.
 */
export const OUTCOMES = ['passed', 'failed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];
