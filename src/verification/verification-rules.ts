import {
  DEFAULT_LEVEL,
  SCRATCHLESS_LEVELS,
  type ScratchlessLevel,
  type VerificationLevel,
} from './verification-states.js';
import { VerificationLevelUnavailableError } from './verification.errors.js';

/**
 * The rung that a request means. Pure.
 * @throws VerificationLevelUnavailableError when it needs a scratch server
 */
export function levelFor(backupId: string, asked: VerificationLevel | undefined): ScratchlessLevel {
  if (asked === undefined) return DEFAULT_LEVEL;
  const level = SCRATCHLESS_LEVELS.find((each) => each === asked);
  if (level === undefined) throw new VerificationLevelUnavailableError(asked, SCRATCHLESS_LEVELS, backupId);
  return level;
}
