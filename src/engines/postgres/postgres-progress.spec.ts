import { describe, expect, it } from 'vitest';

import { DumpProgress, tableOfLine } from './postgres-progress.js';

describe('tableOfLine', () => {
  it.each([
    ['pg_dump: dumping contents of table "public.orders"', 'public.orders'],
    ['pg_dump: dumping contents of table "Größe.Straße "Nr. 1""', 'Größe.Straße "Nr. 1"'],
    ['pg_restore: processing data for table "public.orders"', 'public.orders'],
    ['pg_dump: reading user-defined tables', undefined],
    ['pg_dump: error: dumping contents of table "x"', undefined],
  ])('%s', (line, table) => {
    expect(tableOfLine(line)).toBe(table);
  });
});

describe('DumpProgress', () => {
  it('goes by the sizes of the tables that are done, not by their number', () => {
    const progress = new DumpProgress([
      { fullName: 'public.large', bytes: 900 },
      { fullName: 'public.small', bytes: 100 },
    ]);
    expect(progress.begin('public.small')).toEqual({
      item: 'public.small',
      itemsDone: 0,
      itemsTotal: 2,
      share: 0,
    });
    expect(progress.begin('public.large')).toMatchObject({ itemsDone: 1, share: 0.1 });
    expect(progress.begin('public.unheard-of')).toMatchObject({ itemsDone: 2, share: 1 });
    expect(progress.begin('public.unheard-of')).toMatchObject({ itemsDone: 2, share: 1 });
  });

  it('knows no share of tables without bytes', () => {
    expect(
      new DumpProgress([{ fullName: 'public.empty', bytes: 0 }]).begin('public.empty'),
    ).not.toHaveProperty('share');
  });
});
