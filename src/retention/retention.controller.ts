import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

import { toRetentionChanges } from '../databases/dto/retention-fields.dto.js';
import { IdParam } from '../http/id-param.decorator.js';
import { Problems } from '../http/problems.decorator.js';
import { CleanupDto } from './dto/cleanup.dto.js';
import { RetentionPreviewQuery, RetentionTrial } from './dto/preview.dto.js';
import { CleanupView, RetentionPreviewView, toPreviewView } from './retention.view.js';
import { RetentionService } from './retention.service.js';

/** A trial lists as many backups as a preview does by default. */
const LISTED = 500;

/** What is kept, and why. */
@ApiTags('databases')
@Controller('databases/:id/retention')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  /** Shows what retention would do with each backup of a database now, and what the database will hold in the days to come. */
  @Get()
  @IdParam('database')
  @Problems('database-not-found')
  async preview(
    @Param('id') id: string,
    @Query() query: RetentionPreviewQuery,
  ): Promise<RetentionPreviewView> {
    const { database, plan, simulation } = await this.retention.preview(id, query.days);
    return toPreviewView(database.id, plan, simulation, query.limit);
  }

  /** Shows the same for another policy, without saving it. */
  @Post()
  @IdParam('database')
  @HttpCode(HttpStatus.OK)
  @Problems('database-not-found', 'retention-invalid')
  async simulate(@Param('id') id: string, @Body() body: RetentionTrial): Promise<RetentionPreviewView> {
    const changes = toRetentionChanges(body);
    const { database, plan, simulation } = await this.retention.preview(id, body.days, changes);
    return toPreviewView(database.id, plan, simulation, LISTED);
  }
}

/** Sweeping on request. */
@ApiTags('backups')
@Controller('backups/cleanup')
export class CleanupController {
  constructor(private readonly retention: RetentionService) {}

  /**
   * Deletes now what the policies let go, and says what was deleted.
   *
   * @remarks No backup is deleted that a floor protects: a locked one, the newest completed, the newest of the highest evidence, the
   * last `min_backups`; nor one that is being restored.
   */
  @Post()
  @HttpCode(HttpStatus.OK)
  @Problems('database-not-found', 'retention-invalid')
  async cleanup(@Body() body: CleanupDto): Promise<CleanupView> {
    const dryRun = body.dry_run ?? false;
    const { at, retentionDays, deleted, pending, kept } = await this.retention.cleanup({
      database: body.database_id,
      dryRun,
      retentionDays: body.retention_days,
    });
    return {
      deleted_count: deleted.length,
      deleted_files: deleted.flatMap(({ filename }) => filename ?? []),
      total_size_freed: deleted.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
      pending_count: pending,
      retention_days: retentionDays,
      cleanup_date: at.toISOString(),
      kept,
      dry_run: dryRun,
    };
  }
}
