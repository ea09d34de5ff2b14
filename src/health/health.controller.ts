import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { HealthIndicatorResult } from '@nestjs/terminus';

import { Problems } from '../http/problems.decorator.js';
import { HealthChecks } from './health-checks.js';
import { NotReadyError } from './health.errors.js';
import { HealthView } from './health.view.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  /** Whether the process answers at all. When it does not, restart it. Asks nothing else. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): HealthView {
    return { status: 'ok', details: {} };
  }

  /**
   * Whether the service can do its work.
   *
   * @remarks The catalog can be written, and so can the default destination, and the scheduler looks for due schedules. Schedules that are
   * off (BACKUP_ENABLED=false) are no trouble.
   */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @Problems('not-ready')
  ready(): Promise<HealthView> {
    const { checks } = this;
    return this.#check([checks.catalogWrites(), checks.destinationWrites(), checks.schedulerTicks()]);
  }

  /** Whether the catalog answers. */
  @Get('db')
  @Header('Cache-Control', 'no-store')
  @Problems('not-ready')
  db(): Promise<HealthView> {
    return this.#check([this.checks.catalogReads()]);
  }

  async #check(checks: Promise<HealthIndicatorResult>[]): Promise<HealthView> {
    const details: HealthIndicatorResult = {};
    for (const part of await Promise.all(checks)) Object.assign(details, part);
    if (Object.values(details).some(({ status }) => status !== 'up')) throw new NotReadyError(details);
    return { status: 'ok', details };
  }
}
