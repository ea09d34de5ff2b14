import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In, IsNull, Not } from 'typeorm';

import type { BackupStatus } from '../backups/backup-states.js';
import { Backup } from '../backups/backup.entity.js';
import { NextRun } from '../backups/next-run.js';
import { Catalog } from '../catalog/catalog.js';
import { requireDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { Schedule } from './schedule.entity.js';
import { ScheduleTimings } from './schedule-timings.js';

/** A schedule with what other rows know of it. */
export interface Listed {
  schedule: Schedule;
  databaseName: string;
  lastStatus: BackupStatus | null;
}

/** Questions about schedules. */
@Injectable()
export class ScheduleQueries implements OnModuleInit {
  constructor(
    private readonly catalog: Catalog,
    private readonly timings: ScheduleTimings,
    private readonly next: NextRun,
  ) {}

  onModuleInit(): void {
    this.next.setReader(() => this.nextRunAt());
  }

  /** Of all schedules; null when none runs by itself. */
  async nextRunAt(): Promise<Date | null> {
    if (!this.timings.isOn) return null;
    const where = { enabled: true, nextRunAt: Not(IsNull()) };
    const [next] = await this.catalog.read.find(Schedule, { where, order: { nextRunAt: 'ASC' }, take: 1 });
    return next?.nextRunAt ?? null;
  }

  /** In the order in which they were made. @throws DatabaseNotFoundError */
  async page(
    database: string | undefined,
    limit: number,
    after?: string,
  ): Promise<{ rows: Schedule[]; total: number }> {
    const query = this.catalog.read.createQueryBuilder(Schedule, 's');
    if (database !== undefined) {
      const { id } = await requireDatabase(this.catalog.read, database);
      query.where('s.database_id = :id', { id });
    }
    const total = await query.getCount();
    if (after !== undefined) query.andWhere('s.id > :after', { after });
    return { rows: await query.orderBy('s.id', 'ASC').limit(limit).getMany(), total };
  }

  /** In the order given. */
  async withFacts(schedules: readonly Schedule[]): Promise<Listed[]> {
    const { read } = this.catalog;
    const names = await namesOf(read, [...new Set(schedules.map(({ databaseId }) => databaseId))]);
    const lastIds = schedules.flatMap(({ lastBackupId }) => lastBackupId ?? []);
    const last = await read.find(Backup, { select: { id: true, status: true }, where: { id: In(lastIds) } });
    const statuses = new Map(last.map(({ id, status }) => [id, status]));
    return schedules.map((schedule) => ({
      schedule,
      databaseName: names.get(schedule.databaseId) ?? '',
      lastStatus: statuses.get(schedule.lastBackupId ?? '') ?? null,
    }));
  }

  async withFactsOf(schedule: Schedule): Promise<Listed> {
    const [listed] = await this.withFacts([schedule]);
    if (listed === undefined) throw new Error('one schedule was asked for');
    return listed;
  }
}

async function namesOf(read: EntityManager, ids: readonly string[]): Promise<Map<string, string>> {
  const found = await read.find(Database, { select: { id: true, name: true }, where: { id: In([...ids]) } });
  return new Map(found.map(({ id, name }) => [id, name]));
}
