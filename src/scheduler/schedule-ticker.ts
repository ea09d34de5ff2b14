import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { LessThanOrEqual, MoreThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { AHEAD_MS, decideDue, ON_TIME_MS, type Watch } from './due-runs.js';
import { RunStarter } from './run-starter.js';
import { Schedule } from './schedule.entity.js';
import { standingOf } from './schedule-edits.js';
import { ScheduleTimings } from './schedule-timings.js';

/**
 * Looks every minute which schedules are due, and has their backups asked for. Any number of processes may do so: what one of them
 * decides about a schedule holds only if nobody has moved that on meanwhile (see `RunStarter`).
 */
@Injectable()
export class ScheduleTicker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = new Logger('Scheduler');
  /** When it last looked, by both clocks. */
  #looked: { wallMs: number; monotonicMs: number } | undefined;
  #ticking: Promise<void> | undefined;
  #stopping = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly timings: ScheduleTimings,
    private readonly starter: RunStarter,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.timings.isOn) this.#log.warn('schedules are off: BACKUP_ENABLED is false');
    await this.tick();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.#ticking;
  }

  /** One look. A tick that takes longer than a minute is not overtaken by the next. Never rejects. */
  @Cron(CronExpression.EVERY_MINUTE)
  async tick(): Promise<void> {
    if (!this.timings.isOn || this.#stopping || this.#ticking !== undefined) return;
    this.#ticking = this.#tick();
    await this.#ticking;
    this.#ticking = undefined;
  }

  async #tick(): Promise<void> {
    try {
      const watch = this.#watch();
      const due = await this.#due(watch.now);
      this.#looked = { wallMs: watch.now, monotonicMs: this.clock.monotonicMs() };
      for (const schedule of due) {
        if (this.#stopping) return;
        await this.#decide(schedule, watch);
      }
    } catch (error) {
      this.#log.error({ err: error }, 'cannot look for due schedules; looking again in a minute');
    }
  }

  /** A clock that was put is told by the other one: as long as that has not moved on much, we have been looking all the time. */
  #watch(): Watch {
    const now = this.clock.now().getTime();
    const looked = this.#looked;
    if (looked === undefined || this.clock.monotonicMs() - looked.monotonicMs > ON_TIME_MS) return { now };
    return { now, watchedSince: looked.wallMs };
  }

  /** Also those that a clock ahead of now has settled. */
  async #due(now: number): Promise<Schedule[]> {
    const [due, ahead] = await Promise.all([
      this.catalog.read.find(Schedule, {
        where: { nextRunAt: LessThanOrEqual(new Date(now)) },
        order: { nextRunAt: 'ASC' },
      }),
      this.catalog.read.findBy(Schedule, {
        enabled: true,
        nextRunAt: MoreThan(new Date(now)),
        settledUntil: MoreThan(new Date(now + AHEAD_MS)),
      }),
    ]);
    return [...due, ...ahead];
  }

  async #decide(schedule: Schedule, watch: Watch): Promise<void> {
    try {
      const rules = this.timings.rulesOf(schedule);
      if (rules === undefined) return;
      const decided = decideDue(rules, standingOf(schedule), schedule.catchUp, watch);
      await this.starter.carryOut(schedule, decided);
    } catch (error) {
      this.#log.error(
        { err: error, scheduleId: schedule.id },
        'cannot run a schedule; trying again in a minute',
      );
    }
  }
}
