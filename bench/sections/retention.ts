import type * as Zones from '../../src/clock/time-zone.ts';
import type * as Policies from '../../src/databases/retention-policy.ts';
import type * as Planner from '../../src/retention/retention-planner.ts';
import type { Bench } from '../harness/bench.ts';
import { built } from '../harness/built.ts';
import { goal, median, milliseconds } from '../harness/figures.ts';
import type { Section, Table } from '../harness/section.ts';

const BACKUPS = 100_000;
const EVERY_MS = 10 * 60_000;
const LIMIT_MS = 300;

/** From a rule that only looks at ages to those that look at days, in a zone with daylight saving. */
const POLICIES: readonly [string, Policies.RetentionSettings][] = [
  ['30 days', { retentionDays: 30 }],
  [
    'limits and calendar',
    { retentionDays: 30, maxBackups: 500, minBackups: 3, keepHourly: 48, keepDaily: 14, keepWeekly: 8 },
  ],
  ['calendar of years', { keepDaily: 31, keepWeekly: 52, keepMonthly: 24, keepYearly: 10 }],
];

/** The planner by itself, in this process: what a sweep does with what it has read. */
export const retention: Section = {
  name: 'retention',
  about: `the retention plan of one database with ${BACKUPS} backups`,
  async run(bench: Bench): Promise<Table[]> {
    const { planRetention } = await built<typeof Planner>('retention/retention-planner.js');
    const { completePolicy } = await built<typeof Policies>('databases/retention-policy.js');
    const { TimeZone } = await built<typeof Zones>('clock/time-zone.js');
    const zone = TimeZone.of('Europe/Berlin');
    const now = new Date();
    const backups = sampleHistory(now.getTime());
    const rows: string[][] = [];
    for (const [name, settings] of POLICIES) {
      const policy = completePolicy(settings, { retentionDays: null, maxBackups: null });
      const taken: number[] = [];
      let kept = 0;
      // The first one warms the caches.
      for (let run = -1; run < bench.runs; run += 1) {
        const began = performance.now();
        const decisions = planRetention(policy, backups, now, zone);
        if (run >= 0) taken.push(performance.now() - began);
        kept = decisions.filter(({ keep }) => keep).length;
      }
      const middle = median(taken);
      bench.say(`${name}: ${milliseconds(middle)}`);
      rows.push([
        name,
        milliseconds(middle),
        milliseconds(Math.max(...taken)),
        kept.toLocaleString('en-US'),
        goal(`≤ ${LIMIT_MS} ms`, middle <= LIMIT_MS),
      ]);
    }
    return [
      {
        title: `Retention plan of ${BACKUPS.toLocaleString('en-US')} backups`,
        columns: ['policy', 'median', 'worst', 'kept', 'goal'],
        rows,
        notes: [
          'One backup each ten minutes, one in 20 of them damaged. Without the reading from the catalog.',
        ],
      },
    ];
  },
};

/** In no order, as the catalog may give them. */
function sampleHistory(now: number): Planner.PlannedBackup[] {
  return Array.from({ length: BACKUPS }, (_, n) => {
    // 7919 is prime to the number of backups, so that each comes once.
    const age = (n * 7919) % BACKUPS;
    const takenAt = now - age * EVERY_MS;
    const isGood = age % 20 !== 0;
    return {
      id: `0199-${String(BACKUPS - age).padStart(8, '0')}`,
      status: 'completed' as const,
      takenAt,
      endedAt: takenAt + 60_000,
      locked: age % 1000 === 999,
      evidenceLevel: isGood ? age % 5 : 0,
      isGood,
    };
  });
}
