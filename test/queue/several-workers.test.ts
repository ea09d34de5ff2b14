import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { catalogKinds, type FreshPlace } from '../catalog/places.ts';
import { until } from '../support/until.ts';

/** There is room for both. */
const TWO = { MAX_CONCURRENT_BACKUPS: '2', MAX_CONCURRENT_PER_HOST: '2' };
const shared = catalogKinds().findLast(({ kind }) => kind === 'postgres');

/** Stands still in its first claim, after it has looked for what runs and before it looks for what waits. */
class PausingStore extends TicketStore {
  /** How many claims are over. */
  claims = 0;
  readonly hasLooked = Promise.withResolvers<void>();
  readonly mayGoOn = Promise.withResolvers<void>();

  override async claim(
    tx: EntityManager,
    ...rest: Parameters<TicketStore['claim']> extends [unknown, ...infer R] ? R : never
  ): ReturnType<TicketStore['claim']> {
    const pausing: EntityManager = Object.create(tx);
    pausing.find = async (...args) => {
      const found = await tx.find(...args);
      this.hasLooked.resolve();
      await this.mayGoOn.promise;
      return found;
    };
    const claim = await super.claim(pausing, ...rest);
    this.claims += 1;
    return claim;
  }
}

/** Several workers on one catalog, each with a queue of its own; `story` tells what their work does. */
async function workersOn(place: FreshPlace, undo: AsyncDisposableStack, limits: Record<string, string>) {
  const ends: (() => void)[] = [];
  const story: string[] = [];
  async function worker(store: PausingStore): Promise<{ catalog: Catalog; queue: CatalogQueue }> {
    const opened = await openCatalog(place.location, { entities: [Ticket], migrations: MIGRATIONS });
    undo.defer(() => opened.close());
    const queue = new CatalogQueue(opened.catalog, new SystemClock(), readConfig(limits), store);
    undo.defer(() => queue.stop(0));
    queue.work('backup', async (lease) => {
      const mayEnd = Promise.withResolvers<void>();
      lease.signal.addEventListener('abort', () => mayEnd.resolve());
      ends.push(mayEnd.resolve);
      story.push('begun');
      await mayEnd.promise;
      story.push('ended');
      await opened.catalog.write((tx) => queue.finish(tx, lease));
    });
    return { catalog: opened.catalog, queue };
  }
  return { ends, story, worker };
}

async function sendTwo(catalog: Catalog, queue: CatalogQueue): Promise<void> {
  await catalog.write(async (tx) => {
    for (let n = 1; n <= 2; n += 1) {
      const runAfter = new Date(n);
      await queue.send(tx, { kind: 'backup', subjectId: uuidv7(), lane: 'host:one', runAfter });
    }
  });
}

test('a worker that stands still while it claims does not keep the others waiting', async (context) => {
  if (shared === undefined) return context.skip('no PostgreSQL server in this run');
  await using undo = new AsyncDisposableStack();
  const { story, worker } = await workersOn(undo.use(await shared.fresh()), undo, TWO);
  const [still, other] = [new PausingStore(), new PausingStore()];
  const { queue: first, catalog } = await worker(still);
  const { queue: second } = await worker(other);
  await sendTwo(catalog, first);

  await first.start();
  await still.hasLooked.promise;
  other.mayGoOn.resolve();
  await second.start();
  await until('the other worker to have both', () => story.length === 2);
  expect(still.claims).toBe(0);
  still.mayGoOn.resolve();
  await until('the one to look again', () => still.claims > 0);
  expect(story, 'each was claimed once').toEqual(['begun', 'begun']);
});

test.for<{ cap: string; limits: Record<string, string> }>([
  { cap: 'in all', limits: { MAX_CONCURRENT_BACKUPS: '1' } },
  { cap: 'for one server', limits: { MAX_CONCURRENT_PER_HOST: '1' } },
])(
  'Q4: two workers that claim at the same moment keep the cap $cap together',
  async ({ limits }, context) => {
    if (shared === undefined) return context.skip('no PostgreSQL server in this run');
    await using undo = new AsyncDisposableStack();
    const { ends, story, worker } = await workersOn(undo.use(await shared.fresh()), undo, limits);
    const [one, other] = [new PausingStore(), new PausingStore()];
    const { queue: first, catalog } = await worker(one);
    const { queue: second } = await worker(other);
    await sendTwo(catalog, first);

    await first.start();
    await one.hasLooked.promise;
    other.mayGoOn.resolve();
    await second.start();
    // It has claimed, or waits for its turn.
    await until('the other worker to claim or to wait', async () => {
      const waiting = `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`;
      return story.length === 1 || (await catalog.read.query<unknown[]>(waiting)).length > 0;
    });
    one.mayGoOn.resolve();
    await until('both to have claimed', () => one.claims > 0 && other.claims > 0);
    expect(story).toEqual(['begun']);
    ends.shift()?.();
    await until('the next one to begin', () => story.length === 3);
    expect(story).toEqual(['begun', 'ended', 'begun']);
  },
);
