import { faultOf } from '../backups/copy-fault.js';
import { ArchiveMismatchError } from '../backups/backups.errors.js';
import { ArchiveForeignError, ArchiveUnreadableError } from '../engines/tools.errors.js';
import { isActive } from './verification-lifecycle.js';
import {
  type Outcome,
  SCRATCHLESS_LEVELS,
  type ScratchlessLevel,
  type VerificationStatus,
} from './verification-states.js';
import { VerificationDiffersError } from './verification.errors.js';

/** What a verification has found of one copy. Stored as JSON in its row. */
export interface CopyResult {
  destination: string;
  key: string;
  outcome: Outcome;
  /** The highest rung that this copy was shown to stand on, also where a higher one was wanted; null: none. */
  level: ScratchlessLevel | null;
  error: CopyError | null;
}

export interface CopyError {
  code: string;
  detail: string;
  retryable: boolean;
}

/** What is found out about an archive whose bytes are those that were stored: they were never a good backup. */
const PROOFS_AGAINST_THE_ARCHIVE = [
  ArchiveMismatchError,
  ArchiveUnreadableError,
  ArchiveForeignError,
  VerificationDiffersError,
];

/**
 * What an error says of the copy that was read when it came. Only what is known for certain is a finding; a destination that is away,
 * a read that was cut, a tool that is missing or was killed say nothing. Pure.
 */
export function outcomeOfError(error: unknown): Extract<Outcome, 'failed' | 'unknown'> {
  const isFinding =
    faultOf(error) !== undefined || PROOFS_AGAINST_THE_ARCHIVE.some((proof) => error instanceof proof);
  return isFinding ? 'failed' : 'unknown';
}

/** What a verification has shown; null while it waits or runs. One that has not passed and found nothing knows nothing. Pure. */
export function outcomeOf({
  status,
  copies,
}: {
  status: VerificationStatus;
  copies: readonly CopyResult[];
}): Outcome | null {
  if (isActive(status)) return null;
  if (status === 'completed') return 'passed';
  return copies.some(({ outcome }) => outcome === 'failed') ? 'failed' : 'unknown';
}

/** The highest rung that every copy was shown to stand on; null: there is one of which nothing was shown. Pure. */
export function levelReachedBy(copies: readonly CopyResult[]): ScratchlessLevel | null {
  const reached = copies.map(({ level }) => (level === null ? -1 : SCRATCHLESS_LEVELS.indexOf(level)));
  return SCRATCHLESS_LEVELS[Math.min(...reached)] ?? null;
}

/** Why a verification has not passed: what is wrong with a copy before what could not be looked at. Undefined: it has. Pure. */
export function worstOf(copies: readonly CopyResult[]): CopyResult | undefined {
  return (
    copies.find(({ outcome }) => outcome === 'failed') ?? copies.find(({ outcome }) => outcome === 'unknown')
  );
}
