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
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { toTimeText } from '../catalog/columns.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { IdParam } from '../http/id-param.decorator.js';
import { answerPage, PagedResponse, readCursor, toPage } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { NewVerification } from './dto/new-verification.dto.js';
import { toVerificationFilter, VerificationListQuery } from './dto/verification-list.dto.js';
import { RunningVerifications } from './verification-progress.js';
import { VerificationQueries } from './verification-queries.js';
import type { Verification } from './verification.entity.js';
import { toVerificationView, VerificationView } from './verification.view.js';
import { VerificationsService } from './verifications.service.js';

@ApiTags('verifications')
@Controller()
export class VerificationsController {
  constructor(
    private readonly verifications: VerificationsService,
    private readonly queries: VerificationQueries,
    private readonly running: RunningVerifications,
  ) {}

  /**
   * Verifies a backup, by id or file name: reads every copy of it again.
   *
   * @remarks Answers at once with the queued record; `Location` leads to its progress. One that passes raises the evidence of the backup
   * to its level, and never lowers it; a copy that is found damaged or missing is marked as that. What cannot be looked at is `unknown`.
   */
  @Post('backups/:id/verify')
  @IdParam('backup')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiIdempotencyKey()
  @ApiAcceptedResponse({ type: VerificationView, description: 'Queued.' })
  @Problems(
    'backup-not-found',
    'backup-not-in-state',
    'verification-level-unavailable',
    'idempotency-key-reused',
  )
  async verify(
    @Param('id') id: string,
    @Body() body: NewVerification,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VerificationView> {
    const queued = await this.verifications.create({
      backup: id,
      level: body.level,
      idempotencyKey: checkedKey(idempotencyKey),
    });
    response.location(`/verifications/${queued.id}`);
    return this.#view(queued);
  }

  /** Lists verifications, newest first. */
  @Get('verifications')
  @PagedResponse(VerificationView)
  @Problems('invalid-cursor')
  async list(
    @Query() query: VerificationListQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VerificationView[]> {
    const filter = toVerificationFilter(query);
    const [createdAt, id] = readCursor(query, 2) ?? [];
    const after = createdAt === undefined || id === undefined ? undefined : { createdAt, id };
    const found = await this.queries.page(filter, query.limit + 1, after);
    const total = await this.queries.count(filter);
    const page = toPage(found, query, total, (row) => [toTimeText(row.createdAt), row.id]);
    return answerPage(response, page, (row) => this.#view(row));
  }

  /** Gives one verification; while it runs, with its progress. */
  @Get('verifications/:id')
  @IdParam('verification')
  @Problems('verification-not-found')
  async get(@Param('id') id: string): Promise<VerificationView> {
    return this.#view(await this.queries.get(id));
  }

  /** Cancels a waiting or running verification; within 5 s nothing of it runs. */
  @Post('verifications/:id/cancel')
  @IdParam('verification')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiAcceptedResponse({ type: VerificationView })
  @Problems('verification-not-found', 'verification-not-in-state')
  async cancel(@Param('id') id: string): Promise<VerificationView> {
    return this.#view(await this.verifications.cancel(id));
  }

  #view(row: Verification): VerificationView {
    return toVerificationView(row, this.running.of(row.id)?.progress);
  }
}
