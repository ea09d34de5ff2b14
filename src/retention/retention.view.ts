import { ApiProperty } from '@nestjs/swagger';

import { type RetentionPolicy, RULE_NAMES, RULES } from '../databases/retention-policy.js';
import type { KnownBackup } from './retention-history.js';
import { type Decision, isFailing } from './retention-planner.js';
import type { Plan } from './retention-plans.js';
import type { SimulatedDay } from './retention-simulation.js';

/** What came of a cleanup. */
export class CleanupView {
  /**
   * Backups that were deleted; with `dry_run`, that would be.
   * @example 3
   */
  @ApiProperty({ type: 'integer' })
  deleted_count: number;
  /**
   * File names of their archives.
   * @example ["backup_shop_20261001_030000.dump.zst"]
   */
  deleted_files: string[];
  /**
   * Stored size of them, in bytes.
   * @example 31457280
   */
  @ApiProperty({ type: 'integer' })
  total_size_freed: number;
  /**
   * Backups that are still being deleted; the service goes on with it.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  pending_count: number;
  /**
   * Age limit in days that counted; null: none. Without a database: that of the service.
   * @example 30
   */
  @ApiProperty({ type: 'integer', nullable: true })
  retention_days: number | null;
  /**
   * When this was decided, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  cleanup_date: string;
  /**
   * Completed backups that stay.
   * @example 30
   */
  @ApiProperty({ type: 'integer' })
  kept: number;
  /** Whether nothing was done. */
  dry_run: boolean;
}

/** A policy in which nothing is left open. */
export class CompletePolicyView {
  /**
   * Backups older than so many days are deleted; null: no such limit.
   * @example 30
   */
  @ApiProperty({ type: 'integer', nullable: true })
  retention_days: number | null;
  /**
   * Backups with so many newer ones are deleted; null: no such limit.
   * @example 100
   */
  @ApiProperty({ type: 'integer', nullable: true })
  max_backups: number | null;
  /**
   * So many good ones stay in any case.
   * @example 3
   */
  @ApiProperty({ type: 'integer' })
  min_backups: number;
  /**
   * The newest backup of each of so many hours stays.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  keep_hourly: number;
  /**
   * The newest backup of each of so many days stays.
   * @example 7
   */
  @ApiProperty({ type: 'integer' })
  keep_daily: number;
  /**
   * The newest backup of each of so many weeks stays.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  keep_weekly: number;
  /**
   * The newest backup of each of so many months stays.
   * @example 12
   */
  @ApiProperty({ type: 'integer' })
  keep_monthly: number;
  /**
   * The newest backup of each of so many years stays.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  keep_yearly: number;
}

/** A policy that counts, in place of the database's, for the backups that one schedule has made. */
export class SchedulePolicyView {
  /**
   * Id of the schedule.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  schedule_id: string;
  /**
   * Its name.
   * @example 'yearly'
   */
  name: string;
  /** Whether it is gone. What it said counts for its backups as long as there are any. */
  removed: boolean;
  /** What counts, the database's limits filled in. */
  policy: CompletePolicyView;
}

/** What becomes of one backup. */
export class DecisionView {
  /**
   * Id of the backup.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  id: string;
  /**
   * File name of its archive.
   * @example 'backup_shop_20261121_030000.dump.zst'
   */
  filename: string | null;
  /**
   * When it was asked for, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  created_at: string;
  /**
   * Stored size.
   * @example 10485760
   */
  @ApiProperty({ type: 'integer' })
  size_bytes: number;
  /** Whether it stays. */
  keep: boolean;
  /**
   * Every reason for that.
   * @example ["daily 3 of 7"]
   */
  reasons: string[];
}

/** What is there after a day. */
export class SimulatedDayView {
  /**
   * Its end, in UTC.
   * @example '2026-11-22T12:00:00.000Z'
   */
  at: string;
  /**
   * Backups that are there then.
   * @example 31
   */
  @ApiProperty({ type: 'integer' })
  backups: number;
  /**
   * Their stored size.
   * @example 325058560
   */
  @ApiProperty({ type: 'integer' })
  bytes: number;
}

/** What retention would do with a database's backups now, and what it will hold in the days to come. */
export class RetentionPreviewView {
  /**
   * Id of the database.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  database_id: string;
  /** The policy that counts, defaults filled in. */
  policy: CompletePolicyView;
  /** Those of schedules that have their own, removed ones included. Empty when a policy is tried out: it counts for all backups then. */
  schedule_policies: SchedulePolicyView[];
  /**
   * Where days, weeks, months and years begin.
   * @example 'Asia/Jakarta'
   */
  timezone: string;
  /** Whether the newest attempt at a backup has failed; then age deletes nothing. */
  failing: boolean;
  /**
   * Backups that stay.
   * @example 30
   */
  @ApiProperty({ type: 'integer' })
  kept_count: number;
  /**
   * Their stored size.
   * @example 314572800
   */
  @ApiProperty({ type: 'integer' })
  kept_bytes: number;
  /**
   * Backups that go at the next sweep.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  deleted_count: number;
  /**
   * Their stored size.
   * @example 20971520
   */
  @ApiProperty({ type: 'integer' })
  deleted_bytes: number;
  /** Each backup, newest first. */
  backups: DecisionView[];
  /** Each day to come, if its schedules run and all goes well; empty when there is too much to play through. */
  simulation: SimulatedDayView[];
}

/** The wire form of a plan. */
export function toPreviewView(
  databaseId: string,
  { rules, known, history, decisions }: Plan,
  simulation: readonly SimulatedDay[],
  limit: number,
): RetentionPreviewView {
  const backups = new Map(history.map((backup) => [backup.id, backup]));
  const sum = (keep: boolean): { count: number; bytes: number } => {
    const chosen = decisions.filter((decision) => decision.keep === keep);
    return {
      count: chosen.length,
      bytes: chosen.reduce((total, { id }) => total + (backups.get(id)?.sizeBytes ?? 0), 0),
    };
  };
  const [kept, deleted] = [sum(true), sum(false)];
  return {
    database_id: databaseId,
    policy: toPolicyView(rules.policy),
    schedule_policies: known.schedules.flatMap(({ id, name, isRemoved }) => {
      const policy = rules.ofSchedules.get(id);
      if (policy === undefined) return [];
      return { schedule_id: id, name, removed: isRemoved, policy: toPolicyView(policy) };
    }),
    timezone: rules.zone.name,
    failing: isFailing(history),
    kept_count: kept.count,
    kept_bytes: kept.bytes,
    deleted_count: deleted.count,
    deleted_bytes: deleted.bytes,
    backups: decisions.slice(0, limit).map((decision) => toDecisionView(decision, backups.get(decision.id))),
    simulation: simulation.map(({ at, backups, bytes }) => ({ at: at.toISOString(), backups, bytes })),
  };
}

function toPolicyView(policy: RetentionPolicy): CompletePolicyView {
  const entries = RULES.map((rule) => [RULE_NAMES[rule], policy[rule]] as const);
  return Object.assign(new CompletePolicyView(), Object.fromEntries(entries));
}

function toDecisionView({ id, keep, reasons }: Decision, backup: KnownBackup | undefined): DecisionView {
  return {
    id,
    filename: backup?.filename ?? null,
    created_at: backup?.createdAt ?? '',
    size_bytes: backup?.sizeBytes ?? 0,
    keep,
    reasons,
  };
}
