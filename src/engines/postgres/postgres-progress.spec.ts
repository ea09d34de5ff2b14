import { describe, expect, it } from 'vitest';

import { tableOfLine } from './postgres-progress.js';

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
