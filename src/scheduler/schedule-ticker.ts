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

/** The ticker stands still when no look has come to its end for so long: five minutes were left out. */
const STILL_MS = 5 * 60_000;

/** Whether schedules run by themselves, and if they should and do not, why. */
export interface TickerState {
  isOn: boolean;
  /** When the last look came to its end, well or badly. */
  lookedAt: Date | null;
  trouble?: string;
}

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
  /** How the last look ended: with how many schedules that could not be decided about; undefined when it could not look at all. */
  #ended: { wall: Date; monotonicMs: number; undecided: number | undefined } | undefined;

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

  /** What the health check tells. A look that hangs, or that nobody begins any more, is told by the clock. */
  get state(): TickerState {
    const lookedAt = this.#ended?.wall ?? null;
    if (!this.timings.isOn) return { isOn: false, lookedAt };
    const trouble = this.#trouble();
    return { isOn: true, lookedAt, ...(trouble !== undefined && { trouble }) };
  }

  #trouble(): string | undefined {
    if (this.#ended === undefined) return 'it has not looked for due schedules yet';
    const { monotonicMs, undecided } = this.#ended;
    const stillMs = this.clock.monotonicMs() - monotonicMs;
    if (stillMs > STILL_MS) {
      return `it has not looked for due schedules for ${Math.floor(stillMs / 60_000)} minutes; restart the service`;
    }
    if (undecided === undefined)
      return 'it could not look for due schedules in the last minute; the log says why';
    if (undecided > 0)
      return `${undecided} due schedules could not be run in the last minute; the log says why`;
    return undefined;
  }

  async #tick(): Promise<void> {
    const undecided = await this.#look();
    this.#ended = { wall: this.clock.now(), monotonicMs: this.clock.monotonicMs(), undecided };
  }

  /** Gives how many schedules could not be decided about; undefined when it could not look. */
  async #look(): Promise<number | undefined> {
    try {
      const watch = this.#watch();
      const due = await this.#due(watch.now);
      this.#looked = { wallMs: watch.now, monotonicMs: this.clock.monotonicMs() };
      let undecided = 0;
      for (const schedule of due) {
        if (this.#stopping) break;
        if (!(await this.#decide(schedule, watch))) undecided += 1;
      }
      return undecided;
    } catch (error) {
      this.#log.error({ err: error }, 'cannot look for due schedules; looking again in a minute');
      return undefined;
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

  /** Gives false when it could not; the others have their turn all the same. */
  async #decide(schedule: Schedule, watch: Watch): Promise<boolean> {
    try {
      const rules = this.timings.rulesOf(schedule);
      if (rules === undefined) return true;
      const decided = decideDue(rules, standingOf(schedule), schedule.catchUp, watch);
      await this.starter.carryOut(schedule, decided);
      return true;
    } catch (error) {
      this.#log.error(
        { err: error, scheduleId: schedule.id },
        'cannot run a schedule; trying again in a minute',
      );
      return false;
    }
  }
}
