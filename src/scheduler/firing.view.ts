import type { TimeZone } from '../clock/time-zone.js';
import type { Run, RunRules } from './runs.js';
import { nextRun } from './runs.js';

/** One moment at which a schedule runs. */
export class FiringView {
  /**
   * When the backup begins, in UTC.
   * @example '2026-03-29T01:00:00.000Z'
   */
  at: string;
  /**
   * The same on a clock of its time zone.
   * @example '2026-03-29T03:00:00'
   */
  local: string;
  /**
   * Why it is not simply what the expression says; null: it is.
   * @example '02:30 does not exist on 2026-03-29 in Europe/Berlin; it runs at 03:00, the next valid time'
   */
  note: string | null;
}

/** The next runs after `after`, with notes for people. */
export function toFirings(rules: RunRules, after: Date, count: number): FiringView[] {
  const firings: FiringView[] = [];
  for (let at = after.getTime(); firings.length < count;) {
    const run = nextRun(rules, at);
    firings.push({
      at: new Date(run.dueAt).toISOString(),
      local: localText(rules.zone, run.dueAt),
      note: noteOn(run, rules.zone),
    });
    at = run.at;
  }
  return firings;
}

function noteOn(run: Run, zone: TimeZone): string | null {
  const { slot } = run;
  const notes: string[] = [];
  if (slot.local !== undefined && slot.shift !== undefined) {
    const [day = '', time = ''] = new Date(slot.local).toISOString().slice(0, 16).split('T');
    if (slot.shift === 'fold')
      notes.push(`${time} comes twice on ${day} in ${zone.name}; it runs the first time only`);
    else {
      const next = localText(zone, slot.at).slice(11, 16);
      notes.push(`${time} does not exist on ${day} in ${zone.name}; it runs at ${next}, the next valid time`);
    }
  }
  if (run.at !== slot.at) {
    notes.push(
      `${localText(zone, slot.at).slice(0, 16).replace('T', ' ')} lies in a blackout; it runs at its end`,
    );
  }
  if (run.dueAt !== run.at) notes.push(`${(run.dueAt - run.at) / 1000} s of jitter`);
  return notes.length > 0 ? notes.join('; ') : null;
}

function localText(zone: TimeZone, at: number): string {
  return new Date(zone.toLocal(at)).toISOString().slice(0, 19);
}
