import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';

import { Clock } from '../clock/clock.js';
import { type FiringView, toFirings } from './firing.view.js';
import { ScheduleIncompleteError } from './schedule.errors.js';
import type { Schedule } from './schedule.entity.js';
import { blankSchedule, editSchedule, type ScheduleEdits } from './schedule-edits.js';
import { ScheduleTimings } from './schedule-timings.js';

/** Shows when schedules run, before they do. */
@Injectable()
export class SchedulePreviews {
  constructor(
    private readonly clock: Clock,
    private readonly timings: ScheduleTimings,
  ) {}

  /** @throws ScheduleIncompleteError when it never runs */
  of(schedule: Schedule, count: number): FiringView[] {
    const rules = this.timings.rulesOf(schedule);
    if (rules === undefined) throw new ScheduleIncompleteError('cron');
    return toFirings(rules, this.clock.now(), count);
  }

  /** Of a schedule that nobody has made. @throws what `editSchedule` throws */
  ofEdits(edits: ScheduleEdits, count: number): FiringView[] {
    const schedule = blankSchedule(uuidv7(), '', 'preview', this.clock.now());
    editSchedule(schedule, edits, this.timings, this.clock.now());
    return this.of(schedule, count);
  }
}
