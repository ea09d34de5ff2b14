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
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { BackupViews } from '../backups/backup-views.js';
import { BackupView } from '../backups/backup.view.js';
import { IdParam } from '../http/id-param.decorator.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { answerPage, PagedResponse, readCursor, toPage } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { PreviewQuery, PreviewRequest } from './dto/preview.dto.js';
import {
  NewSchedule,
  ScheduleFields,
  toScheduleEdits,
  toWholeEdits,
  WholeSchedule,
} from './dto/schedule-fields.dto.js';
import { ScheduleListDto } from './dto/schedule-list.dto.js';
import { FiringView } from './firing.view.js';
import type { Schedule } from './schedule.entity.js';
import { ScheduleQueries } from './schedule-queries.js';
import { ScheduleTimings } from './schedule-timings.js';
import { SchedulePreviews } from './schedule-previews.js';
import { ScheduleView, toScheduleView } from './schedule.view.js';
import { SchedulesService } from './schedules.service.js';

const FIELD_PROBLEMS = [
  'schedule-invalid',
  'schedule-ambiguous',
  'schedule-incomplete',
  'schedule-name-taken',
  'retention-invalid',
] as const;

/** When databases are backed up by themselves. */
@ApiTags('schedules')
@Controller('schedules')
export class SchedulesController {
  constructor(
    private readonly schedules: SchedulesService,
    private readonly queries: ScheduleQueries,
    private readonly timings: ScheduleTimings,
    private readonly previews: SchedulePreviews,
    private readonly backups: BackupViews,
  ) {}

  /** Lists schedules in the order in which they were made. */
  @Get()
  @PagedResponse(ScheduleView)
  @Problems('invalid-cursor', 'database-not-found')
  async list(
    @Query() query: ScheduleListDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScheduleView[]> {
    const after = readCursor(query, 1)?.[0];
    const { rows, total } = await this.queries.page(query.database_id, query.limit + 1, after);
    const page = toPage(rows, query, total, (row) => [row.id]);
    const listed = await this.queries.withFacts(page.rows);
    return answerPage(response, { ...page, rows: listed }, (row) => toScheduleView(row, this.timings));
  }

  /** Gives one schedule. */
  @Get(':id')
  @IdParam('schedule')
  @Problems('schedule-not-found')
  async read(@Param('id') id: string): Promise<ScheduleView> {
    return this.#toView(await this.schedules.get(id));
  }

  /** Makes a schedule. Its first run is its first moment from now on. */
  @Post()
  @ApiIdempotencyKey()
  @ApiCreatedResponse({
    type: ScheduleView,
    headers: { Location: { description: 'Path of the new record.', schema: { type: 'string' } } },
  })
  @Problems('database-not-found', 'idempotency-key-reused', ...FIELD_PROBLEMS)
  async create(
    @Body() body: NewSchedule,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScheduleView> {
    const key = checkedKey(idempotencyKey);
    const schedule = await this.schedules.create(body.database_id, toScheduleEdits(body), key);
    response.location(`/schedules/${schedule.id}`);
    return this.#toView(schedule);
  }

  /** Puts a whole schedule in the place of this one; what is left out goes back to its default. */
  @Put(':id')
  @IdParam('schedule')
  @Problems('schedule-not-found', ...FIELD_PROBLEMS)
  async replace(@Param('id') id: string, @Body() body: WholeSchedule): Promise<ScheduleView> {
    return this.#toView(await this.schedules.change(id, toWholeEdits(body), body.database_id));
  }

  /** Changes what is given and leaves the rest. `cron` and `interval_hours` take each other's place. */
  @Patch(':id')
  @IdParam('schedule')
  @Problems('schedule-not-found', ...FIELD_PROBLEMS)
  async change(@Param('id') id: string, @Body() body: ScheduleFields): Promise<ScheduleView> {
    return this.#toView(await this.schedules.change(id, toScheduleEdits(body)));
  }

  /**
   * Removes a schedule. The backups that it made stay.
   *
   * @remarks When it has a policy of its own, that goes on counting for them; else they go by the policy of their database, as before.
   */
  @Delete(':id')
  @IdParam('schedule')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Problems('schedule-not-found', 'schedule-from-environment')
  async remove(@Param('id') id: string): Promise<void> {
    await this.schedules.remove(id);
  }

  /** Makes the schedule's backup now. When it runs by itself does not change. */
  @Post(':id/run')
  @IdParam('schedule')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiIdempotencyKey()
  @ApiAcceptedResponse({ type: BackupView, description: 'Queued.' })
  @Problems('schedule-not-found', 'backup-already-running', 'idempotency-key-reused')
  async run(
    @Param('id') id: string,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BackupView> {
    const backup = await this.schedules.runNow(id, checkedKey(idempotencyKey));
    response.location(`/backups/${backup.id}`);
    return this.backups.of(backup);
  }

  /** Shows the next runs, with what daylight saving, blackouts and jitter do to them. As if it were enabled. */
  @Get(':id/preview')
  @IdParam('schedule')
  @Problems('schedule-not-found', 'schedule-incomplete')
  async preview(@Param('id') id: string, @Query() query: PreviewQuery): Promise<FiringView[]> {
    return this.previews.of(await this.schedules.get(id), query.count);
  }

  /** Shows when a schedule would run, without saving it. */
  @Post('preview')
  @HttpCode(HttpStatus.OK)
  @Problems('schedule-invalid', 'schedule-ambiguous', 'schedule-incomplete')
  async tryOut(@Body() body: PreviewRequest): Promise<FiringView[]> {
    const { cron, interval_hours: intervalHours, timezone, blackouts, count } = body;
    return Promise.resolve(this.previews.ofEdits({ cron, intervalHours, timezone, blackouts }, count));
  }

  async #toView(schedule: Schedule): Promise<ScheduleView> {
    return toScheduleView(await this.queries.withFactsOf(schedule), this.timings);
  }
}
