import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { BackupView } from '../backups/backup.view.js';
import { BackupsController } from '../backups/backups.controller.js';
import { BackupChangesDto } from '../backups/dto/backup-changes.dto.js';
import { BackupListDto } from '../backups/dto/backup-list.dto.js';
import { DeleteBackupDto } from '../backups/dto/delete-backup.dto.js';
import { NewBackupDto, toNewBackup } from '../backups/dto/new-backup.dto.js';
import { OverviewController } from '../backups/overview.controller.js';
import { Clock } from '../clock/clock.js';
import { IdParam } from '../http/id-param.decorator.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { PagedResponse } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { fieldsOf } from '../http/view-fields.js';
import { PatienceQuery } from './dto/patience.dto.js';
import { toOlderRemoval } from './older-answers.js';
import { OlderWork } from './older-work.js';
import { OlderBackupView, OlderRemovalView, OlderStatusView } from './older.view.js';

/** `/backups` under its older path. */
@ApiTags('older paths')
@Controller('api/backups')
export class OlderBackupsController {
  constructor(
    private readonly today: BackupsController,
    private readonly overview: OverviewController,
    private readonly work: OlderWork,
    private readonly clock: Clock,
  ) {}

  /** `GET /backups`. */
  @Get()
  @PagedResponse(BackupView)
  @Problems('invalid-cursor')
  async list(@Query() query: BackupListDto, @Res() response: Response): Promise<void> {
    await this.today.list(query, response);
  }

  /** `POST /backups?wait=completed`. */
  @Post()
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

  /** `GET /backups/status`. */
  @Get('status')
  async status(): Promise<OlderStatusView> {
    const timestamp = this.clock.now().toISOString();
    return { ...fieldsOf(await this.overview.status()), status: 'success', timestamp };
  }

  /** `GET /backups/{filename}`. */
  @Get(':id')
  @IdParam('backup')
  @Problems('backup-not-found')
  async get(@Param('id') id: string): Promise<BackupView> {
    return this.today.get(id);
  }

  /** `PATCH /backups/{filename}`. */
  @Patch(':id')
  @IdParam('backup')
  @Problems('backup-not-found', 'backup-not-in-state')
  async change(@Param('id') id: string, @Body() body: BackupChangesDto): Promise<BackupView> {
    return this.today.change(id, body);
  }

  /** `DELETE /backups/{filename}`. */
  @Delete(':id')
  @IdParam('backup')
  @ApiOkResponse({ type: OlderRemovalView, description: 'Deleted.' })
  @ApiAcceptedResponse({ type: OlderRemovalView, description: 'Being deleted.' })
  @Problems(
    'backup-not-found',
    'backup-locked',
    'backup-in-use',
    'backup-newest-proven',
    'backup-not-in-state',
  )
  async remove(
    @Param('id') id: string,
    @Query() query: DeleteBackupDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OlderRemovalView> {
    return toOlderRemoval(await this.today.remove(id, query, response), this.clock.now());
  }
}
