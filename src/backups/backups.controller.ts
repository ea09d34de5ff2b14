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

import { PagedResponse, setPageHeaders } from '../http/paging.js';
import { clientSignal } from '../http/client-signal.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { IdParam } from '../http/id-param.decorator.js';
import { Problems } from '../http/problems.decorator.js';
import { BackupLists } from './backup-lists.js';
import { BackupQueries } from './backup-queries.js';
import { BackupRemoval } from './backup-removal.js';
import { BackupView } from './backup.view.js';
import { BackupViews } from './backup-views.js';
import { BackupsService } from './backups.service.js';
import { CompletedBackupView, toCompletedBackupView } from './completed-backup.view.js';
import { BackupChangesDto } from './dto/backup-changes.dto.js';
import { BackupListDto } from './dto/backup-list.dto.js';
import { DeleteBackupDto } from './dto/delete-backup.dto.js';
import { NewBackupDto, toNewBackup } from './dto/new-backup.dto.js';
import { WaitQuery } from './dto/wait-query.dto.js';

/** Making, finding and removing backups. */
@ApiTags('backups')
@Controller('backups')
export class BackupsController {
  constructor(
    private readonly backups: BackupsService,
    private readonly lists: BackupLists,
    private readonly queries: BackupQueries,
    private readonly removal: BackupRemoval,
    private readonly views: BackupViews,
  ) {}

  /**
   * Starts a backup.
   *
   * @remarks Answers at once with the queued record; `Location` leads to its progress. With `?wait=completed` it answers when the
   * backup is completed, or with the problem that ended it.
   */
  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiIdempotencyKey()
  @ApiAcceptedResponse({ type: BackupView, description: 'Queued.' })
  @ApiOkResponse({ type: CompletedBackupView, description: 'Completed, when asked to wait.' })
  @Problems(
    'database-not-found',
    'database-not-chosen',
    'backup-already-running',
    'idempotency-key-reused',
    'retention-invalid',
    'backup-failed',
    'wait-timeout',
  )
  async create(
    @Body() body: NewBackupDto,
    @Query() query: WaitQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BackupView | CompletedBackupView> {
    const queued = await this.backups.create({
      ...toNewBackup(body),
      trigger: 'manual',
      idempotencyKey: checkedKey(idempotencyKey),
    });
    response.location(`/backups/${queued.id}`);
    if (query.wait === undefined) return this.views.of(queued);
    const seconds = query.timeout_seconds;
    const completed = await this.backups.waitUntilCompleted(queued.id, seconds, clientSignal(response));
    response.status(HttpStatus.OK);
    return toCompletedBackupView(await this.views.of(completed));
  }

  /** Lists backups, newest first. Deleted ones only with `status=expired`. */
  @Get()
  @PagedResponse(BackupView)
  @Problems('invalid-cursor')
  async list(@Query() query: BackupListDto, @Res() response: Response): Promise<void> {
    const page = await this.lists.page(query);
    setPageHeaders(response, page);
    // Else Express would digest the same bytes for each answer.
    if (page.etag !== undefined) response.setHeader('ETag', page.etag);
    response.type('json').send(page.json());
  }

  /** Gives one backup, by id or file name; while it runs, with its progress. */
  @Get(':id')
  @IdParam('backup')
  @Problems('backup-not-found')
  async get(@Param('id') id: string): Promise<BackupView> {
    return this.views.of(await this.queries.get(id));
  }

  /** Changes description and lock. */
  @Patch(':id')
  @IdParam('backup')
  @Problems('backup-not-found')
  async change(@Param('id') id: string, @Body() body: BackupChangesDto): Promise<BackupView> {
    return this.views.of(await this.backups.change(id, body));
  }

  /**
   * Deletes a backup: its objects at every destination, and then says so in its row, which stays as `expired`.
   *
   * @remarks Answers when that is done; 202 with status `expiring` when it takes longer than a few seconds.
   */
  @Delete(':id')
  @IdParam('backup')
  @ApiOkResponse({ type: BackupView, description: 'Deleted.' })
  @ApiAcceptedResponse({ type: BackupView, description: 'Being deleted.' })
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
  ): Promise<BackupView> {
    const { id: backupId } = await this.queries.get(id);
    const removed = await this.removal.removeNow(backupId, { force: query.force });
    response.status(removed.status === 'expired' ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return this.views.of(removed);
  }

  /** Cancels a waiting or running backup; within 5 s nothing of it runs and nothing is left. */
  @Post(':id/cancel')
  @IdParam('backup')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiAcceptedResponse({ type: BackupView })
  @Problems('backup-not-found', 'backup-not-in-state')
  async cancel(@Param('id') id: string): Promise<BackupView> {
    return this.views.of(await this.backups.cancel(id));
  }
}
