import type { EntityManager } from 'typeorm';
import { describe, expect, it } from 'vitest';

import { Backup } from '../../src/backups/backup.entity.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { emptyCatalog, endAll, insertSchedule, schedulerOn, slotsOf, tickerOn } from './room.ts';

const HOUR_MS = 3_600_000;

/** A catalog on whose nth statement the process is gone: that transaction ends there, and nothing is said any more. */
class DyingCatalog {
  statements = 0;
  readonly #real: Catalog;
  readonly #dieAt: number;
  readonly #realOf = new WeakMap<EntityManager, EntityManager>();

  constructor(real: Catalog, dieAt: number) {
    this.#real = real;
    this.#dieAt = dieAt;
  }

  get read(): EntityManager {
    return this.#real.read;
  }

  get hasSoleOwner(): boolean {
    return this.#real.hasSoleOwner;
  }

  async write<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.#real.write((tx) => work(this.#mortal(tx)));
  }

  atEndOf(tx: EntityManager, ending: () => Promise<void>): void {
    this.#real.atEndOf(this.#realOf.get(tx)!, ending);
  }

  #mortal(tx: EntityManager): EntityManager {
    const mortal = new Proxy(tx, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          this.statements += 1;
          if (this.statements === this.#dieAt) throw new Error('the process is gone');
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    this.#realOf.set(mortal, tx);
    return mortal;
  }
}

describe.each(catalogKinds())('a ticker that dies, on $name', (kind) => {
  it('at any statement, leaves exactly one backup, one ticket and one word of it to the next', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T02:00:00Z'));
    for (let dieAt = 1; ; dieAt += 1) {
      const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
      // Two days late: there is something to tell of as well.
      clock.advance(50 * HOUR_MS);
      const dying = new DyingCatalog(catalog, dieAt);
      await tickerOn(dying as unknown as Catalog, clock).tick();
      const isDead = dying.statements >= dieAt;
      expect(await slotsOf(catalog, schedule)).toHaveLength(isDead ? 0 : 1);
      await schedulerOn(catalog, clock).start();
      const [made, ...more] = await catalog.read.findBy(Backup, { scheduleId: schedule.id });
      expect(more).toEqual([]);
      expect(await catalog.read.countBy(Ticket, { kind: 'backup', subjectId: made!.id })).toBe(1);
      const told = { subjectId: schedule.id, name: 'ScheduleRunMissed' } as const;
      expect(await catalog.read.countBy(RecordedEvent, told)).toBe(1);
      await endAll(catalog);
      await catalog.write((tx) => tx.query('DELETE FROM schedules'));
      if (!isDead) {
        expect(dieAt, 'statements of one run').toBeGreaterThan(8);
        return;
      }
    }
  });
});
