import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { type KnownSchedule, type KnownSchedules, ScheduleKnowledge } from '../retention/known-schedules.js';
import { RemovedSchedule } from './removed-schedule.entity.js';
import { runsDue } from './runs.js';
import { DEFAULT_SCHEDULE, Schedule } from './schedule.entity.js';
import { ScheduleTimings } from './schedule-timings.js';

/**
 * Tells retention what it has to know of schedules: their own policies, those of removed ones too, when they will run, and the zone of
 * the default one.
 */
@Injectable()
export class RetentionTies implements OnModuleInit {
  constructor(
    private readonly retention: ScheduleKnowledge,
    private readonly timings: ScheduleTimings,
  ) {}

  onModuleInit(): void {
    this.retention.setReader((entities, databaseId) => this.#read(entities, databaseId));
  }

  async #read(entities: EntityManager, databaseId: string): Promise<KnownSchedules> {
    const schedules = await entities.find(Schedule, { where: { databaseId }, order: { id: 'ASC' } });
    const removed = await entities.find(RemovedSchedule, { where: { databaseId }, order: { id: 'ASC' } });
    return {
      timezone: schedules.find(({ name }) => name === DEFAULT_SCHEDULE)?.timezone ?? null,
      schedules: [
        ...schedules.map((schedule) => this.#toKnown(schedule)),
        ...removed.map(({ id, name, retention }) => ({
          ...{ id, name, retention },
          isRemoved: true,
          runsBetween: () => [],
        })),
      ],
    };
  }

  #toKnown(schedule: Schedule): KnownSchedule {
    const { id, name, retention } = schedule;
    return {
      ...{ id, name, retention },
      isRemoved: false,
      runsBetween: (after, until, most) => {
        const rules = schedule.enabled && this.timings.isOn ? this.timings.rulesOf(schedule) : undefined;
        return rules === undefined ? [] : runsDue(rules, after, until, most).map(({ dueAt }) => dueAt);
      },
    };
  }
}
