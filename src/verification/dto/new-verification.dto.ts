import { IsIn, IsOptional } from 'class-validator';

import { VERIFICATION_LEVELS, type VerificationLevel } from '../verification-states.js';

/** How far a backup is to be shown to be good. */
export class NewVerification {
  /**
   * `intact`: every copy is read from its destination, and its size and SHA-256 compared. `readable`: and the engine reads the archive
   * from end to end; this is what happens when it is left out. The others need a scratch server, which this version does not have.
   * @example 'readable'
   */
  @IsOptional()
  @IsIn(VERIFICATION_LEVELS)
  level?: VerificationLevel;
}
