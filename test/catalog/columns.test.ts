import { And, Between, In, IsNull, LessThan, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { toTimeText } from '../../src/catalog/columns.ts';
import { openCatalog, type OpenCatalog } from '../../src/catalog/open-catalog.ts';
import { Note, note, NOTES } from './notes.ts';
import { catalogKinds, type FreshPlace } from './places.ts';

const day = (number: number): Date => new Date(Date.UTC(2026, 0, number, 3, 0, 0, 7));

describe.each(catalogKinds())('columns on $name', ({ fresh }) => {
  let place: FreshPlace;
  let open: OpenCatalog;
  beforeAll(async () => {
    place = await fresh();
    open = await openCatalog(place.location, NOTES);
    await open.catalog.write((tx) =>
      tx.insert(Note, [
        { name: 'day 1', writtenAt: day(1), sizeBytes: 0 },
        { name: 'day 2', writtenAt: day(2), sizeBytes: 2 ** 40 },
        { name: 'day 30', writtenAt: day(30), sizeBytes: Number.MAX_SAFE_INTEGER },
        note('never'),
      ]),
    );
  });
  afterAll(async () => {
    await open.close();
    await place[Symbol.asyncDispose]();
  });

  it('give back the moment and the number that went in', async () => {
    const rows = await open.catalog.read.find(Note, { order: { name: 'ASC' } });
    expect(rows).toEqual([
      { name: 'day 1', writtenAt: day(1), sizeBytes: 0 },
      { name: 'day 2', writtenAt: day(2), sizeBytes: 2 ** 40 },
      { name: 'day 30', writtenAt: day(30), sizeBytes: Number.MAX_SAFE_INTEGER },
      { name: 'never', writtenAt: null, sizeBytes: null },
    ]);
  });

  it.each([
    ['equal', day(2), ['day 2']],
    ['before', LessThan(day(2)), ['day 1']],
    ['not after', LessThanOrEqual(day(2)), ['day 1', 'day 2']],
    ['between', Between(day(2), day(30)), ['day 2', 'day 30']],
    ['one of', In([day(1), day(30)]), ['day 1', 'day 30']],
    ['not after, the other way', Not(MoreThan(day(2))), ['day 1', 'day 2']],
    ['both', And(MoreThan(day(1)), LessThan(day(30))), ['day 2']],
    ['never', IsNull(), ['never']],
  ])('compare moments in a condition: %s', async (_title, writtenAt, names) => {
    const rows = await open.catalog.read.find(Note, { where: { writtenAt }, order: { name: 'ASC' } });
    expect(rows.map((row) => row.name)).toEqual(names);
  });

  it('compare moments in the criteria of update and delete', async () => {
    const update = await open.catalog.write((tx) =>
      tx.update(Note, { writtenAt: LessThan(day(2)) }, { sizeBytes: 5 }),
    );
    expect(update.affected).toBe(1);
    const none = await open.catalog.write((tx) => tx.delete(Note, { writtenAt: MoreThan(day(30)) }));
    expect(none.affected).toBe(0);
    const one = await open.catalog.write((tx) => tx.delete(Note, { writtenAt: Between(day(1), day(1)) }));
    expect(one.affected).toBe(1);
  });

  it('sort and compare as time in a hand-written query', async () => {
    const rows = await open.catalog.read
      .createQueryBuilder(Note, 'note')
      .where('note.writtenAt >= :from', { from: toTimeText(day(2)) })
      .orderBy('note.writtenAt', 'DESC')
      .getMany();
    expect(rows.map((row) => row.name)).toEqual(['day 30', 'day 2']);
  });
});
