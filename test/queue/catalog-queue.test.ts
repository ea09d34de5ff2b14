import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { v7 as uuidv7 } from 'uuid';
import { afterEach, describe, expect, test } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import type { Clock } from '../../src/clock/clock.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { LeaseLostError, ShuttingDownError } from '../../src/queue/queue.errors.ts';
import type { Lease, Work, WorkRunner } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function emptyCatalog(): Promise<Catalog> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-queue-'));
  undo.push(() => rm(folder, { recursive: true }));
  const location = { kind: 'sqlite', path: join(folder, 'catalog.db') } as const;
  const opened = await openCatalog(location, { entities: [Ticket], migrations: MIGRATIONS });
  undo.push(() => opened.close());
  return opened.catalog;
}

function queueOn(
  catalog: Catalog,
  clock: Clock,
  variables: Record<string, string> = {},
  store = new TicketStore(),
): CatalogQueue {
  const queue = new CatalogQueue(catalog, clock, readConfig(variables), store);
  undo.push(() => queue.stop(0));
  return queue;
}

function work(more: Partial<Work> = {}): Work {
  return { kind: 'backup', subjectId: uuidv7(), runAfter: new Date(0), ...more };
}

const tickets = (catalog: Catalog): Promise<Ticket[]> => catalog.read.find(Ticket);

/** A runner whose ends the test decides. */
function heldRunner(): { runner: WorkRunner; leases: Lease[]; endAll: () => void } {
  const leases: Lease[] = [];
  const ends: (() => void)[] = [];
  return {
    leases,
    endAll: () => ends.splice(0).forEach((end) => end()),
    runner: (lease) => {
      leases.push(lease);
      return new Promise((resolve, reject) => {
        ends.push(resolve);
        lease.signal.addEventListener('abort', () => reject(lease.signal.reason as Error));
      });
    },
  };
}

describe('the queue over the catalog', () => {
  test('Q1: a ticket exists only when the transaction of its row did', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    await expect(
      catalog.write(async (tx) => {
        await queue.send(tx, work());
        throw new Error('the row was refused');
      }),
    ).rejects.toThrow('the row was refused');
    expect(await tickets(catalog)).toEqual([]);
  });

  test('works off what is sent, before and after the start, and forgets it when finished', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const done: string[] = [];
    queue.work('backup', async (lease) => {
      await catalog.write((tx) => queue.finish(tx, lease));
      done.push(lease.subjectId);
    });
    const [before, after] = [work(), work()];
    await catalog.write((tx) => queue.send(tx, before));
    await queue.start();
    await catalog.write((tx) => queue.send(tx, after));
    await until('both to be done', () => done.length === 2);
    expect(done).toEqual([before.subjectId, after.subjectId]);
    expect(await tickets(catalog)).toEqual([]);
  });

  test('Q9: what is sent again while it is done is done once more, and what waits is done once', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const again = work();
    let runs = 0;
    queue.work('backup', async (lease) => {
      runs += 1;
      if (runs === 1)
        for (let time = 1; time <= 3; time += 1) await catalog.write((tx) => queue.send(tx, again));
      await catalog.write((tx) => queue.finish(tx, lease));
    });
    for (let time = 1; time <= 3; time += 1) await catalog.write((tx) => queue.send(tx, again));
    await queue.start();
    await until('nothing to be left', async () => (await tickets(catalog)).length === 0);
    expect(runs).toBe(2);
  });

  test('Q2: a worker that lost its lease can write nothing, and its whole transaction rolls back', async () => {
    const catalog = await emptyCatalog();
    const clock = new ManualClock();
    const store = new TicketStore();
    const queue = queueOn(catalog, clock);
    await catalog.write((tx) => queue.send(tx, work()));
    const caps = {
      backup: { total: 9, perLane: 9 },
      restore: { total: 9, perLane: 9 },
      retention: { total: 9, perLane: 9 },
      verification: { total: 9, perLane: 9 },
    };
    const claim = (): ReturnType<TicketStore['claim']> =>
      catalog.write((tx) => {
        const now = clock.now();
        const end = new Date(now.getTime() + 30_000);
        return store.claim(tx, ['backup'], { ...caps, 'backup-removal': caps.backup }, now, end);
      });
    const old = await claim();
    expect(await claim()).toBeUndefined();
    clock.advance(30_001);
    const fresh = await claim();
    expect([old?.claim, fresh?.claim]).toEqual([1, 2]);
    const signal = new AbortController().signal;
    await expect(
      catalog.write(async (tx) => {
        await queue.send(tx, work());
        await queue.finish(tx, { ...old!, signal });
      }),
    ).rejects.toBeInstanceOf(LeaseLostError);
    expect((await tickets(catalog)).map((ticket) => ticket.leaseToken)).toEqual([fresh?.token]);
    await catalog.write((tx) => queue.finish(tx, { ...fresh!, signal }));
    expect(await tickets(catalog)).toEqual([]);
  });

  test('Q3: after a restart the leases of the dead process are claimed again at once', async () => {
    const catalog = await emptyCatalog();
    const first = queueOn(catalog, new SystemClock());
    const { runner, leases } = heldRunner();
    first.work('backup', runner);
    await first.start();
    await catalog.write((tx) => first.send(tx, work({ exclusiveKey: 'shop' })));
    await until('the first claim', () => leases.length === 1);

    const second = queueOn(catalog, new SystemClock());
    const again = heldRunner();
    second.work('backup', again.runner);
    await second.start();
    await until('the second claim', () => again.leases.length === 1);
    expect(again.leases[0]).toMatchObject({ subjectId: leases[0]?.subjectId, claim: 2 });
  });

  test('Q3: also when the clock was set back meanwhile', async () => {
    const catalog = await emptyCatalog();
    const clock = new ManualClock();
    const { runner, leases } = heldRunner();
    const first = queueOn(catalog, clock);
    first.work('backup', runner);
    await first.start();
    await catalog.write((tx) => first.send(tx, work({ exclusiveKey: 'shop' })));
    await until('the first claim', () => leases.length === 1);

    const second = queueOn(catalog, clock);
    const again = heldRunner();
    await second.start();
    // Nobody works for it yet: its first claim comes after the clock was set.
    setWallBy(clock, -HOUR_MS);
    second.work('backup', again.runner);
    await until('the second claim', () => {
      clock.advance(500);
      return again.leases.length === 1;
    });
    expect(again.leases[0]).toMatchObject({ subjectId: leases[0]?.subjectId, claim: 2 });
  });

  test('Q3: a running worker renews its lease for as long as it runs', async () => {
    const catalog = await emptyCatalog();
    const clock = new ManualClock();
    const queue = queueOn(catalog, clock, { LEASE_SECONDS: '30' });
    const { runner, leases } = heldRunner();
    queue.work('backup', runner);
    await queue.start();
    await catalog.write((tx) => queue.send(tx, work()));
    await until('the claim', () => leases.length === 1);
    for (let step = 0; step < 30; step += 1) {
      const before = (await tickets(catalog))[0]?.leaseUntil?.getTime();
      clock.advance(10_000);
      await until('a renewal', async () => (await tickets(catalog))[0]?.leaseUntil?.getTime() !== before);
    }
    expect(leases.map((lease) => [lease.claim, lease.signal.aborted])).toEqual([[1, false]]);
  });

  test('a thousand waiting removals do not keep a backup from its turn', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const removals = heldRunner();
    const backups = heldRunner();
    queue.work('backup-removal', removals.runner);
    queue.work('backup', backups.runner);
    await catalog.write(async (tx) => {
      for (let i = 0; i < 1001; i += 1) await queue.send(tx, work({ kind: 'backup-removal' }));
      await queue.send(tx, work({ runAfter: new Date(1) }));
    });
    await queue.start();
    await until('the backup', () => backups.leases.length === 1);
    expect(removals.leases).toHaveLength(1);
  });

  test('tells the worker when somebody else has taken its lease', async () => {
    const catalog = await emptyCatalog();
    const clock = new ManualClock();
    const queue = queueOn(catalog, clock);
    const { runner, leases } = heldRunner();
    queue.work('backup', runner);
    await queue.start();
    await catalog.write((tx) => queue.send(tx, work()));
    await until('the claim', () => leases.length === 1);
    await catalog.write((tx) =>
      tx.update(
        Ticket,
        { id: leases[0]!.ticketId },
        { leaseToken: uuidv7(), leaseUntil: new Date('2030-01-01') },
      ),
    );
    clock.advance(10_000);
    await until('the abort', () => leases[0]?.signal.aborted);
    expect(leases[0]?.signal.reason).toBeInstanceOf(LeaseLostError);
  });

  test('Q4, Q5: 200 tickets of 50 databases on 5 hosts: caps hold, order holds, none lost, none doubled', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock(), {
      MAX_CONCURRENT_BACKUPS: '4',
      MAX_CONCURRENT_PER_HOST: '2',
    });
    const all = Array.from({ length: 200 }, (_, i) =>
      work({ exclusiveKey: `db${i % 50}`, lane: `host:${i % 5}`, runAfter: new Date(i) }),
    );
    const of = new Map(all.map((one) => [one.subjectId, one]));
    const running = new Set<string>();
    const done: string[] = [];
    const broken: string[] = [];
    const most = (key: (one: Work) => string | undefined, limit: number, name: string): void => {
      const counts = Map.groupBy(running, (id) => key(of.get(id)!));
      for (const [value, ids] of counts)
        if (ids.length > limit) broken.push(`${name} ${value}: ${ids.length}`);
    };
    queue.work('backup', async (lease) => {
      running.add(lease.subjectId);
      most(() => 'all', 4, 'total');
      most((one) => one.lane, 2, 'lane');
      most((one) => one.exclusiveKey, 1, 'key');
      await new Promise(setImmediate);
      done.push(lease.subjectId);
      await catalog.write((tx) => queue.finish(tx, lease));
      running.delete(lease.subjectId);
    });
    await catalog.write(async (tx) => {
      for (const one of all) await queue.send(tx, one);
    });
    await queue.start();
    await until('all to be done', () => done.length === 200 && running.size === 0, 180_000);
    expect(broken).toEqual([]);
    expect(new Set(done).size).toBe(200);
    expect(await tickets(catalog)).toEqual([]);
    // Of one database the older goes first.
    const mine = done
      .filter((id) => of.get(id)?.exclusiveKey === 'db7')
      .map((id) => of.get(id)!.runAfter.getTime());
    expect(mine).toEqual([7, 57, 107, 157]);
  });

  test('Q6: stop waits for what runs within the grace time', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const { runner, leases, endAll } = heldRunner();
    queue.work('backup', runner);
    await queue.start();
    await catalog.write((tx) => queue.send(tx, work()));
    await until('the claim', () => leases.length === 1);
    const stopped = queue.stop(60_000);
    endAll();
    await stopped;
    expect(leases[0]?.signal.aborted).toBe(false);
  });

  test('Q6: stop aborts what still runs when the grace time is over, and the ticket can be claimed again', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const { runner, leases } = heldRunner();
    queue.work('backup', runner);
    await queue.start();
    await catalog.write((tx) => queue.send(tx, work()));
    await until('the claim', () => leases.length === 1);
    await queue.stop(1);
    expect(leases[0]?.signal.reason).toBeInstanceOf(ShuttingDownError);
    expect((await tickets(catalog)).map((ticket) => ticket.leaseToken)).toEqual([null]);
  });

  test('Q7: a runner that throws leaves its ticket for later, and the loop lives on', async () => {
    const catalog = await emptyCatalog();
    const clock = new ManualClock();
    const queue = queueOn(catalog, clock);
    const claims: number[] = [];
    queue.work('backup', async (lease) => {
      claims.push(lease.claim);
      if (lease.claim === 1) throw new Error('unexpected');
      await catalog.write((tx) => queue.finish(tx, lease));
    });
    await queue.start();
    await catalog.write((tx) => queue.send(tx, work()));
    await until(
      'the release',
      async () => claims.length === 1 && (await tickets(catalog))[0]?.leaseToken === null,
    );
    const releasedMs = clock.monotonicMs();
    // The loop may be on its way to its sleep: time passes until it has seen what is due.
    await until('the second claim', async () => {
      clock.advance(500);
      return (await tickets(catalog)).length === 0;
    });
    expect(claims).toEqual([1, 2]);
    expect(clock.monotonicMs() - releasedMs).toBeGreaterThanOrEqual(30_000);
  });

  test('work that waits can be withdrawn, work that runs can be cancelled', async () => {
    const catalog = await emptyCatalog();
    const queue = queueOn(catalog, new SystemClock());
    const { runner, leases } = heldRunner();
    queue.work('backup', runner);
    const waiting = work();
    await catalog.write((tx) => queue.send(tx, waiting));
    expect(await catalog.write((tx) => queue.withdraw(tx, 'backup', waiting.subjectId))).toBe(true);
    expect(await catalog.write((tx) => queue.withdraw(tx, 'backup', waiting.subjectId))).toBe(false);

    await queue.start();
    const running = work();
    await catalog.write((tx) => queue.send(tx, running));
    await until('the claim', () => leases.length === 1);
    expect(await catalog.write((tx) => queue.withdraw(tx, 'backup', running.subjectId))).toBe(false);
    const reason = new Error('not wanted any more');
    expect(queue.cancel('restore', running.subjectId, reason)).toBe(false);
    expect(queue.cancel('backup', running.subjectId, reason)).toBe(true);
    expect(leases[0]?.signal.reason).toBe(reason);
  });
});

const HOUR_MS = 3_600_000;
const LEASE_MS = 30_000;
const jumps = [
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
] as const;

describe('the queue of a machine whose clock is set', () => {
  test.each(jumps)(
    'an hour %s: who works keeps his ticket and his heartbeats, and nothing runs twice',
    async (_, jumpMs) => {
      const catalog = await emptyCatalog();
      const clock = new ManualClock();
      const queue = queueOn(catalog, clock, { LEASE_SECONDS: '30' });
      const { runner, leases, endAll } = heldRunner();
      queue.work('backup', async (lease) => {
        await runner(lease);
        await catalog.write((tx) => queue.finish(tx, lease));
      });
      await queue.start();
      const [first, successor, other] = [
        work({ exclusiveKey: 'shop' }),
        work({ exclusiveKey: 'shop' }),
        work(),
      ];
      const subjects = (): string[] => leases.map((lease) => lease.subjectId);
      await catalog.write((tx) => queue.send(tx, first));
      await until('the claim', () => leases.length === 1);

      // A machine that slept, or a clock that was set: the loop looks for work before the next heartbeat comes.
      setWallBy(clock, jumpMs);
      await catalog.write((tx) => queue.send(tx, successor));
      await catalog.write((tx) => queue.send(tx, other));
      await until('the claim of other work', () => leases.length === 2);
      for (let beats = 0; beats < 12; beats += 1) {
        await heartbeat(catalog, clock, [first.subjectId, other.subjectId]);
      }
      expect(subjects()).toEqual([first.subjectId, other.subjectId]);
      expect(leases.map((lease) => [lease.claim, lease.signal.aborted])).toEqual([
        [1, false],
        [1, false],
      ]);

      endAll();
      await until('the claim of what waited behind it', () => leases.length === 3);
      endAll();
      await until('all to be finished', async () => (await tickets(catalog)).length === 0);
      expect(subjects()).toEqual([first.subjectId, other.subjectId, successor.subjectId]);
      expect(leases.every((lease) => lease.claim === 1 && !lease.signal.aborted)).toBe(true);
    },
  );

  test.each(jumps)(
    'an hour %s, while the catalog is gone: the lease is lost after as much time as it was for',
    async (_, jumpMs) => {
      const catalog = await emptyCatalog();
      const clock = new ManualClock();
      const store = new TicketStoreThatGoes();
      const queue = queueOn(catalog, clock, { LEASE_SECONDS: '30' }, store);
      const { runner, leases } = heldRunner();
      queue.work('backup', runner);
      await queue.start();
      await catalog.write((tx) => queue.send(tx, work()));
      await until('the claim', () => leases.length === 1);
      store.isGone = true;
      setWallBy(clock, jumpMs);
      for (const failures of [1, 2]) {
        await until('the heartbeat and the loop sleep', () => clock.sleeping === 2);
        clock.advance(LEASE_MS / 3);
        await until('a heartbeat in vain', () => store.failures === failures && clock.sleeping === 2);
        expect(leases[0]?.signal.aborted).toBe(false);
      }
      clock.advance(LEASE_MS / 3);
      await until('the loss', () => leases[0]?.signal.aborted);
      expect(leases[0]?.signal.reason).toBeInstanceOf(LeaseLostError);
    },
  );

  test('an hour forward: work whose time has come by that is done at the next look', async () => {
    const { clock, leases } = await waitingFor(HOUR_MS / 2);
    setWallBy(clock, HOUR_MS);
    clock.advance(500);
    await until('the claim', () => leases.length === 1);
    expect(clock.monotonicMs()).toBe(500);
  });

  test('an hour back: work that waits is done when the clock shows its time, and once', async () => {
    const { catalog, clock, leases } = await waitingFor(HOUR_MS / 2);
    setWallBy(clock, -HOUR_MS);
    clock.advance(1.5 * HOUR_MS - 1);
    await until('the loop has looked', () => clock.sleeping === 2);
    expect(leases).toEqual([]);
    clock.advance(500);
    await until('the claim', () => leases.length === 1);
    await heartbeat(catalog, clock, [leases[0]!.subjectId]);
    expect(leases.map((lease) => [lease.claim, lease.signal.aborted])).toEqual([[1, false]]);
  });
});

/** A queue that has begun, with one piece of work that is due in `dueMs`. */
async function waitingFor(dueMs: number): Promise<{ catalog: Catalog; clock: ManualClock; leases: Lease[] }> {
  const catalog = await emptyCatalog();
  const clock = new ManualClock();
  const queue = queueOn(catalog, clock, { LEASE_SECONDS: '30' });
  const { runner, leases } = heldRunner();
  queue.work('backup', runner);
  await catalog.write((tx) => queue.send(tx, work({ runAfter: new Date(clock.now().getTime() + dueMs) })));
  await queue.start();
  await until('the loop and the heartbeat sleep', () => clock.sleeping === 2);
  return { catalog, clock, leases };
}

function setWallBy(clock: ManualClock, ms: number): void {
  clock.setWallTo(new Date(clock.now().getTime() + ms));
}

/** Lets time pass until the next heartbeat, and waits until it has renewed the leases on these subjects. */
async function heartbeat(catalog: Catalog, clock: ManualClock, subjectIds: readonly string[]): Promise<void> {
  await until('the heartbeat and the loop sleep', () => clock.sleeping === 2);
  clock.advance(LEASE_MS / 3);
  const end = clock.now().getTime() + LEASE_MS;
  await until('the renewal', async () => {
    const renewed = (await tickets(catalog)).filter(({ leaseUntil }) => leaseUntil?.getTime() === end);
    return renewed.length === subjectIds.length && renewed.every((one) => subjectIds.includes(one.subjectId));
  });
}

/** The statements on a catalog that cannot be reached any more, as far as heartbeats see it. */
class TicketStoreThatGoes extends TicketStore {
  isGone = false;
  failures = 0;

  override async renew(...args: Parameters<TicketStore['renew']>): Promise<boolean> {
    if (!this.isGone) return super.renew(...args);
    this.failures += 1;
    throw new Error('the catalog is gone');
  }
}
