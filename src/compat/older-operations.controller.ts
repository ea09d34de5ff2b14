import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { BackupQueries } from '../backups/backup-queries.js';
import { NewBackupDto, toNewBackup } from '../backups/dto/new-backup.dto.js';
import { OverviewController } from '../backups/overview.controller.js';
import { Clock } from '../clock/clock.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { Problems } from '../http/problems.decorator.js';
import { fieldsOf } from '../http/view-fields.js';
import { NewRestore } from '../restore/dto/new-restore.dto.js';
import { RestoresController } from '../restore/restores.controller.js';
import { CleanupDto } from '../retention/dto/cleanup.dto.js';
import { CleanupController } from '../retention/retention.controller.js';
import { CustomBackupDto } from './dto/custom-backup.dto.js';
import { PatienceQuery } from './dto/patience.dto.js';
import { toOlderCleanup, toOlderRestore } from './older-answers.js';
import { OlderWork } from './older-work.js';
import { OlderBackupView, OlderCleanupView, OlderRestoreView, OlderStatsView } from './older.view.js';

/** What older services did with all backups, or with one that the body names. */
@ApiTags('older paths')
@Controller('api')
export class OlderOperationsController {
  constructor(
    private readonly restores: RestoresController,
    private readonly cleanups: CleanupController,
    private readonly overview: OverviewController,
    private readonly queries: BackupQueries,
    private readonly work: OlderWork,
    private readonly clock: Clock,
  ) {}

  /** `POST /backups/restore?wait=completed`: beside the old database, unless `mode` and `confirm` say otherwise. */
  @Post('backups/restore')
  @HttpCode(HttpStatus.OK)
  @ApiIdempotencyKey()
  @Problems(
    'backup-not-chosen',
    'backup-not-found',
    'backup-not-in-state',
    'confirmation-missing',
    'idempotency-key-reused',
    'restore-not-completed',
    'restore-wait-timeout',
  )
  async restore(
    @Body() body: NewRestore,
    @Query() query: PatienceQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OlderRestoreView> {
    const wait = { wait: 'completed', timeout_seconds: query.timeout_seconds } as const;
    const restore = await this.restores.restore(body, wait, idempotencyKey, response);
    const { filename } = await this.queries.get(restore.backup_id);
    return toOlderRestore(restore, filename, this.clock.now());
  }

  /** `POST /backups/cleanup`. */
  @Post(['backups/cleanup', 'v1/backup/cleanup'])
  @HttpCode(HttpStatus.OK)
  @Problems('database-not-found', 'retention-invalid')
  async cleanup(@Body() body: CleanupDto): Promise<OlderCleanupView> {
    return toOlderCleanup(await this.cleanups.cleanup(body));
  }

  /** `POST /backups?wait=completed`. */
  @Post('v1/backup/create')
  @HttpCode(HttpStatus.OK)
  @ApiIdempotencyKey()
  @Problems(
    'database-not-found',
    'database-not-chosen',
    'backup-already-running',
    'idempotency-key-reused',
    'backup-failed',
    'wait-timeout',
    'retention-invalid',
  )
  async create(
    @Body() body: NewBackupDto,
    @Query() query: PatienceQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OlderBackupView> {
    const request = { ...toNewBackup(body), idempotencyKey: checkedKey(idempotencyKey) };
    return this.work.makeBackup(request, query.timeout_seconds, response);
  }

  /**
   * `POST /backups?wait=completed`, into a folder that the request chooses.
   *
   * @remarks `backup_dir` must be below one of BACKUP_DIR_ROOTS, of which there is none by default.
   */
  @Post('v1/backup/create-custom')
  @HttpCode(HttpStatus.OK)
  @ApiIdempotencyKey()
  @Problems(
    'backup-dir-refused',
    'storage-unavailable',
    'database-not-found',
    'database-not-chosen',
    'backup-already-running',
    'idempotency-key-reused',
    'backup-failed',
    'wait-timeout',
    'retention-invalid',
  )
  async createCustom(
    @Body() body: CustomBackupDto,
    @Query() query: PatienceQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OlderBackupView> {
    const folder = body.backup_dir ?? undefined;
    const request = { ...toNewBackup(body), folder, idempotencyKey: checkedKey(idempotencyKey) };
    return this.work.makeBackup(request, query.timeout_seconds, response);
  }

  /** `GET /backups/stats`. */
  @Get('v1/backup/stats')
  async stats(): Promise<OlderStatsView> {
    const timestamp = this.clock.now().toISOString();
    return { ...fieldsOf(await this.overview.all()), status: 'success', timestamp };
  }
}
