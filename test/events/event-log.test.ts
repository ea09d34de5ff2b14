import { describe, expect, it } from 'vitest';

import { Database } from '../../src/databases/database.entity.ts';
import { EventPruner } from '../../src/events/event-pruner.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { blankDatabase } from '../../src/databases/database-edits.ts';
import { catalogKinds } from '../catalog/places.ts';
import { event, type EventsUnderTest, freshEvents } from './events-under-test.ts';

async function recorded({ queries }: EventsUnderTest): Promise<string[]> {
  return (await queries.after(0, 10_000)).map(({ number, subjectId }) => `${number} ${subjectId}`);
}

function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

const DAY_MS = 86_400_000;

describe.each(catalogKinds())('the event log on $name', (kind) => {
  it('keeps what was told, as it was told', async () => {
    await using room = await freshEvents(kind);
    const facts = { status: 'completed', size_bytes: 2 ** 40, reasons: ['daily 8 of 7'] };
    await room.catalog.write(async (tx) =>
      room.log.append(tx, event('b1', 'BackupCompleted', { durationMs: 1500, facts })),
    );
    expect(await room.queries.after(0, 10)).toEqual([
      {
        number: 1,
        name: 'BackupCompleted',
        at: room.clock.now(),
        subjectKind: 'backup',
        subjectId: 'b1',
        databaseId: 'd1',
        databaseName: 'shop',
        facts: { ...facts, duration_seconds: 1.5 },
      },
    ]);
    expect(await room.queries.newest()).toBe(1);
  });

  it('has no event of a transaction that was rolled back, and no hole where it would have been', async () => {
    await using room = await freshEvents(kind);
    const dies = room.catalog.write(async (tx) => {
      room.log.append(tx, event('never'));
      throw new Error('this transaction fails');
    });
    await expect(dies).rejects.toThrow('this transaction fails');
    await room.catalog.write(async (tx) => room.log.append(tx, event('b1')));
    expect(await recorded(room)).toEqual(['1 b1']);
    expect(await room.queries.totals()).toMatchObject([{ eventName: 'BackupQueued', count: 1 }]);
  });

  it('numbers many writers at once without holes, and loses none in the totals', async () => {
    await using room = await freshEvents(kind);
    const ids = Array.from({ length: 60 }, (_, index) => `b${index}`);
    await Promise.all(
      ids.map((id) =>
        room.catalog.write(async (tx) => {
          room.log.append(tx, event(id));
          room.log.append(tx, event(id, 'BackupStarted'));
        }),
      ),
    );
    const rows = await room.queries.after(0, 1000);
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    expect(new Set(rows.map(({ subjectId }) => subjectId)).size).toBe(60);
    const totals = await room.queries.totals();
    expect(totals.map(({ eventName, count }) => `${eventName} ${count}`).toSorted()).toEqual([
      'BackupQueued 60',
      'BackupStarted 60',
    ]);
  });

  it('shows no event before all with lower numbers, whoever began first', async (context) => {
    context.skip(kind.kind !== 'postgres', 'on SQLite one transaction begins when the other has ended');
    await using room = await freshEvents(kind);
    const [told, goOn] = [gate(), gate()];
    const slow = room.catalog.write(async (tx) => {
      room.log.append(tx, event('slow'));
      told.open();
      await goOn.opened;
    });
    await told.opened;
    await room.catalog.write(async (tx) => room.log.append(tx, event('quick')));
    expect(await recorded(room)).toEqual(['1 quick']);
    goOn.open();
    await slow;
    expect(await recorded(room)).toEqual(['1 quick', '2 slow']);
  });

  it('does not tie two transactions up that come by the same row from two sides', async (context) => {
    context.skip(kind.kind !== 'postgres', 'on SQLite one transaction begins when the other has ended');
    await using room = await freshEvents(kind);
    const traits = { defaultPort: 5432 } as Parameters<typeof blankDatabase>[1]['traits'];
    const row = blankDatabase('d1', { kind: 'postgres', traits }, room.clock.now());
    await room.catalog.write((tx) => tx.insert(Database, row));
    const [hasTold, hasRow] = [gate(), gate()];
    const first = room.catalog.write(async (tx) => {
      room.log.append(tx, event('first'));
      hasTold.open();
      await hasRow.opened;
      await tx.update(Database, { id: 'd1' }, { port: 1 });
    });
    const second = room.catalog.write(async (tx) => {
      await hasTold.opened;
      await tx.update(Database, { id: 'd1' }, { port: 2 });
      hasRow.open();
      room.log.append(tx, event('second'));
    });
    await Promise.all([first, second]);
    expect(await recorded(room)).toEqual(['1 second', '2 first']);
  });

  it('forgets what is old, in its order, and keeps the totals and the count', async () => {
    await using room = await freshEvents(kind);
    const { catalog, clock, log, queries } = room;
    const tell = (id: string): Promise<void> => catalog.write(async (tx) => log.append(tx, event(id)));
    const start = clock.now();
    await tell('old');
    // Somebody had set the clock back: this one says that it is older than it is.
    clock.setWallTo(new Date(start.getTime() + 40 * DAY_MS));
    await tell('young');
    clock.setWallTo(start);
    await tell('young with an old date');
    clock.setWallTo(new Date(start.getTime() + 40 * DAY_MS));
    clock.advance(1000);
    await new EventPruner(catalog, clock, readConfig({ EVENT_KEEP_DAYS: '30' }), queries).prune();
    expect(await recorded(room)).toEqual(['2 young', '3 young with an old date']);
    expect(await queries.totals()).toMatchObject([{ count: 3 }]);
    await tell('next');
    expect((await recorded(room)).at(-1)).toBe('4 next');
  });

  it('forgets what is old also behind an event that says it comes from the future, and keeps what is young', async () => {
    await using room = await freshEvents(kind);
    const { catalog, clock, log, queries } = room;
    const tell = (id: string): Promise<void> => catalog.write(async (tx) => log.append(tx, event(id)));
    const prune = (): Promise<void> =>
      new EventPruner(catalog, clock, readConfig({ EVENT_KEEP_DAYS: '30' }), queries).prune();
    const start = clock.now();
    // A machine that begins with a wrong clock, which is then put right.
    clock.setWallTo(new Date(start.getTime() + 4000 * DAY_MS));
    await tell('from the future');
    clock.setWallTo(start);
    await prune();
    expect(await recorded(room)).toEqual(['1 from the future']);
    await tell('old');
    clock.setWallTo(new Date(start.getTime() + 4000 * DAY_MS));
    await tell('from the future too');
    clock.setWallTo(new Date(start.getTime() + 40 * DAY_MS));
    await tell('young');
    await prune();
    expect(await recorded(room)).toEqual(['3 from the future too', '4 young']);
  });

  it('refuses to write outside of a transaction', async () => {
    await using room = await freshEvents(kind);
    expect(() => room.log.append(room.catalog.read, event('b1'))).toThrow('outside of catalog.write');
    const ended = await room.catalog.write(async (tx) => tx);
    expect(() => room.log.append(ended, event('b1'))).toThrow('outside of catalog.write');
  });
});
