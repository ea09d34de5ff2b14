import { ApiPropertyOptional } from '@nestjs/swagger';

import type { DefaultSchedule } from '../default-schedules.js';
import { type RetentionSettings, RULE_NAMES, RULES } from '../retention-policy.js';

const LIMIT = { type: 'integer', nullable: true } as const;
const COUNT = { type: 'integer' } as const;

/** The rules of a policy that were set; for the others the service's defaults count. */
export class RetentionView {
  /**
   * Backups older than so many days are deleted; null: no such limit.
   * @example 30
   */
  @ApiPropertyOptional(LIMIT)
  retention_days?: number | null;

  /**
   * Backups with so many newer ones are deleted; null: no such limit.
   * @example 100
   */
  @ApiPropertyOptional(LIMIT)
  max_backups?: number | null;

  /**
   * So many good ones stay in any case.
   * @example 3
   */
  @ApiPropertyOptional(COUNT)
  min_backups?: number;

  /**
   * The newest backup of each of so many hours stays.
   * @example 24
   */
  @ApiPropertyOptional(COUNT)
  keep_hourly?: number;

  /**
   * The newest backup of each of so many days stays.
   * @example 7
   */
  @ApiPropertyOptional(COUNT)
  keep_daily?: number;

  /**
   * The newest backup of each of so many weeks stays.
   * @example 5
   */
  @ApiPropertyOptional(COUNT)
  keep_weekly?: number;

  /**
   * The newest backup of each of so many months stays.
   * @example 12
   */
  @ApiPropertyOptional(COUNT)
  keep_monthly?: number;

  /**
   * The newest backup of each of so many years stays.
   * @example 3
   */
  @ApiPropertyOptional(COUNT)
  keep_yearly?: number;
}

/** What was set of a database's default schedule and policy; `GET /schedules` and `GET /databases/{id}/retention` say what counts. */
export class PlanView extends RetentionView {
  /**
   * Cron expression of its default schedule; absent: it has none of its own.
   * @example "0 3 * * *"
   */
  schedule?: string;

  /**
   * Hours between two backups of its default schedule; absent: it goes by `schedule`, or has none of its own.
   * @example 6
   */
  @ApiPropertyOptional({ type: 'integer' })
  interval_hours?: number;

  /**
   * Time zone of its default schedule; absent: TIMEZONE.
   * @example "Asia/Jakarta"
   */
  timezone?: string;

  /** Whether its default schedule runs; absent: it has no default schedule. */
  enabled?: boolean;
}

/** What an object of the class has, without being one: it may be spread into another. */
type Fields<View> = { [Field in keyof View]: View[Field] };

export function toRetentionView(settings: RetentionSettings): Fields<RetentionView> {
  return Object.fromEntries(
    RULES.flatMap((rule) => (settings[rule] === undefined ? [] : [[RULE_NAMES[rule], settings[rule]]])),
  );
}

export function toPlanView(
  settings: RetentionSettings,
  schedule: DefaultSchedule | undefined,
): Fields<PlanView> {
  if (schedule === undefined) return toRetentionView(settings);
  const { cron, intervalHours, timezone, enabled } = schedule;
  return {
    ...(cron !== null && { schedule: cron }),
    ...(intervalHours !== null && { interval_hours: intervalHours }),
    ...(timezone !== null && { timezone }),
    enabled,
    ...toRetentionView(settings),
  };
}
