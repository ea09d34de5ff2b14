import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import type { Response } from 'express';

import { MetricsRefresher } from './metrics-refresher.js';

const EXAMPLE = `# HELP backups_total Backups that have ended, by how.
# TYPE backups_total counter
backups_total{database="shop",status="completed"} 41
`;

/** What Prometheus scrapes. */
@ApiTags('health')
@Controller('metrics')
export class MetricsController extends PrometheusController {
  constructor(private readonly refresher: MetricsRefresher) {
    super();
  }

  /** Gives the metrics in Prometheus's text format: Backstop's own out of the catalog, and those of its process. */
  @Get()
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string', example: EXAMPLE }, description: 'The metrics.' })
  override async index(@Res({ passthrough: true }) response: Response): Promise<string> {
    await this.refresher.refresh();
    return super.index(response);
  }
}
