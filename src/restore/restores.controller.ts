import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { toTimeText } from '../catalog/columns.js';
import { clientSignal } from '../http/client-signal.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { IdParam } from '../http/id-param.decorator.js';
import { answerPage, PagedResponse, readCursor, toPage } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { NewRestore, RestoreChoices, toRestoreRequest } from './dto/new-restore.dto.js';
import { WaitQuery } from '../backups/dto/wait-query.dto.js';
import { RestoreListQuery, toRestoreFilter } from './dto/restore-list.dto.js';
import type { RestoreRequest } from './restore-planner.js';
import { RunningRestores } from './restore-progress.js';
import { RestoreQueries } from './restore-queries.js';
import { Restore } from './restore.entity.js';
import { BackupChoiceError } from './restore.errors.js';
import { RestoreView, toRestoreView } from './restore.view.js';
import { RestoresService } from './restores.service.js';

/** What may be wrong with a request to restore, besides what its connection may meet. */
const REQUEST_PROBLEMS = [
  'backup-not-found',
  'backup-not-in-state',
  'manifest-changed',
  'database-not-found',
  'restore-target-missing',
  'restore-target-ambiguous',
  'restore-target-busy',
  'restore-engine-mismatch',
  'remote-name-invalid',
  'confirmation-missing',
  'backup-partial',
  'tables-not-allowed',
  'tables-unknown',
  'restore-choice-unsupported',
  'safety-backup-impossible',
  'target-database-exists',
  'database-in-use',
  'idempotency-key-reused',
  'restore-not-completed',
  'restore-wait-timeout',
] as const;

@ApiTags('restores')
@Controller()
export class RestoresController {
  constructor(
    private readonly restores: RestoresService,
    private readonly queries: RestoreQueries,
    private readonly running: RunningRestores,
  ) {}

  /**
   * Restores a backup, named by id or file name.
   *
   * @remarks By default into a new database beside the old one. Answers at once with the queued record; `Location`
   * leads to its progress. With `?wait=completed` it answers when the restore is completed, or with the problem that
   * ended it. Completed means that the copy was compared with the backup and equals it.
   */
  @Post('backups/restore')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiIdempotencyKey()
  @ApiAcceptedResponse({ type: RestoreView, description: 'Queued.' })
  @ApiOkResponse({ type: RestoreView, description: 'Completed, when asked to wait.' })
  @Problems('backup-not-chosen', ...REQUEST_PROBLEMS)
  async restore(
    @Body() body: NewRestore,
    @Query() query: WaitQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RestoreView> {
    return this.#restore(toRestoreRequest(backupOf(body), body, checkedKey(idempotencyKey)), query, response);
  }

  /** Restores this backup, by id or file name; see `POST /backups/restore`. */
  @Post('backups/:id/restore')
  @IdParam('backup')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiIdempotencyKey()
  @ApiAcceptedResponse({ type: RestoreView, description: 'Queued.' })
  @ApiOkResponse({ type: RestoreView, description: 'Completed, when asked to wait.' })
  @Problems(...REQUEST_PROBLEMS)
  async restoreOne(
    @Param('id') id: string,
    @Body() body: RestoreChoices,
    @Query() query: WaitQuery,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RestoreView> {
    return this.#restore(toRestoreRequest(id, body, checkedKey(idempotencyKey)), query, response);
  }

  /** Lists restores, newest first. */
  @Get('restores')
  @PagedResponse(RestoreView)
  @Problems('invalid-cursor')
  async list(
    @Query() query: RestoreListQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RestoreView[]> {
    const filter = toRestoreFilter(query);
    const [createdAt, id] = readCursor(query, 2) ?? [];
    const after = createdAt === undefined || id === undefined ? undefined : { createdAt, id };
    const found = await this.queries.page(filter, query.limit + 1, after);
    const total = await this.queries.count(filter);
    const page = toPage(found, query, total, (row) => [toTimeText(row.createdAt), row.id]);
    return answerPage(response, page, (row) => this.#view(row));
  }

  /** Gives one restore; while it runs, with its progress. */
  @Get('restores/:id')
  @IdParam('restore')
  @Problems('restore-not-found')
  async get(@Param('id') id: string): Promise<RestoreView> {
    return this.#view(await this.queries.get(id));
  }

  /**
   * Cancels a waiting or running restore; within 5 s nothing of it runs, and the database that it was making is dropped.
   *
   * @remarks Refused once the database is being given its final name.
   */
  @Post('restores/:id/cancel')
  @IdParam('restore')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiAcceptedResponse({ type: RestoreView })
  @Problems('restore-not-found', 'restore-not-in-state')
  async cancel(@Param('id') id: string): Promise<RestoreView> {
    return this.#view(await this.restores.cancel(id));
  }

  async #restore(request: RestoreRequest, query: WaitQuery, response: Response): Promise<RestoreView> {
    const queued = await this.restores.create(request);
    response.location(`/restores/${queued.id}`);
    if (query.wait === undefined) return this.#view(queued);
    const completed = await this.restores.waitUntilCompleted(
      queued.id,
      query.timeout_seconds,
      clientSignal(response),
    );
    response.status(HttpStatus.OK);
    return this.#view(completed);
  }

  #view(row: Restore): RestoreView {
    return toRestoreView(row, this.running.of(row.id)?.progress);
  }
}

function backupOf({ backup_id, filename }: NewRestore): string {
  if (backup_id && filename) throw new BackupChoiceError('both are given; leave one out');
  const backup = backup_id || filename;
  if (!backup) throw new BackupChoiceError('neither is given');
  return backup;
}
