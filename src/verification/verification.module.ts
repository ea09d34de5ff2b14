import { Module } from '@nestjs/common';

import { BackupsModule } from '../backups/backups.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { DatabasesModule } from '../databases/databases.module.js';
import { EnginesModule } from '../engines/engines.module.js';
import { ArchiveInspector } from './archive-inspector.js';
import { CopyVerifier } from './copy-verifier.js';
import { VerificationAttempt } from './verification-attempt.js';
import { VerificationMoves } from './verification-moves.js';
import { VerificationOutcomes } from './verification-outcomes.js';
import { RunningVerifications } from './verification-progress.js';
import { VerificationQueries } from './verification-queries.js';
import { VerificationRunner } from './verification-runner.js';
import { VerificationTies } from './verification-ties.js';
import { Verification } from './verification.entity.js';
import { VerificationsController } from './verifications.controller.js';
import { VerificationsService } from './verifications.service.js';

/** Verifications: reading what is stored of a backup again, and raising its evidence by that. */
@Module({
  imports: [CatalogModule.forFeature([Verification]), BackupsModule, DatabasesModule, EnginesModule],
  controllers: [VerificationsController],
  providers: [
    ArchiveInspector,
    CopyVerifier,
    RunningVerifications,
    VerificationAttempt,
    VerificationMoves,
    VerificationOutcomes,
    VerificationQueries,
    VerificationRunner,
    VerificationTies,
    VerificationsService,
  ],
})
export class VerificationModule {}
