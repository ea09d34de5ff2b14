import type { Manifest } from '../../src/archive/manifest.ts';
import { bytes, count } from './figures.ts';
import type { Column } from './terminal.ts';

/** A line of the tables that the tour shows: a table, or all partitions of one. */
interface Group {
  title: string;
  rows: number;
  bytes: number;
  /** Rows counted in the restored database; undefined where a table is absent. */
  restored: number | undefined;
}

/** What one table should hold, and what was found. */
export interface Difference {
  table: string;
  expected: number | undefined;
  found: number | undefined;
}

const PARTITION = /^(?<parent>.+)_(\d{4}_\d{2}|later)$/;

export const CONTENT_COLUMNS: readonly Column[] = [
  { title: 'table', align: 'left' },
  { title: 'rows', align: 'right' },
  { title: 'on disk', align: 'right' },
];

export const COMPARISON_COLUMNS: readonly Column[] = [
  { title: 'table', align: 'left' },
  { title: 'in the backup', align: 'right' },
  { title: 'restored', align: 'right' },
  { title: '', align: 'left' },
];

export function contentRows(manifest: Manifest): string[][] {
  return grouped(manifest, new Map()).map((group) => [group.title, count(group.rows), bytes(group.bytes)]);
}

export function comparisonRows(manifest: Manifest, restored: ReadonlyMap<string, number>): string[][] {
  const wrong = new Set(differences(manifest, restored).map(({ table }) => titleOf(table)));
  return grouped(manifest, restored).map(({ title, rows, restored: found }) => [
    title,
    count(rows),
    found === undefined ? 'absent' : count(found),
    wrong.has(title) ? '✗' : '✓',
  ]);
}

/** Every single table, partitions too, whose count is not the manifest's; tables that only one side has as well. */
export function differences(manifest: Manifest, found: ReadonlyMap<string, number>): Difference[] {
  const expected = new Map(manifest.content.items.map(({ name, rows }) => [name, rows]));
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names]
    .map((table) => ({ table, expected: expected.get(table), found: found.get(table) }))
    .filter((each) => each.expected !== each.found);
}

function titleOf(table: string): string {
  const parent = PARTITION.exec(table)?.groups?.['parent'];
  return parent === undefined ? table : `${parent} (by month)`;
}

function grouped(manifest: Manifest, restored: ReadonlyMap<string, number>): Group[] {
  const groups = new Map<string, Group>();
  for (const item of manifest.content.items) {
    const title = titleOf(item.name);
    const group = groups.get(title) ?? { title, rows: 0, bytes: 0, restored: undefined };
    const found = restored.get(item.name);
    groups.set(title, {
      title,
      rows: group.rows + item.rows,
      bytes: group.bytes + item.bytes,
      restored: found === undefined ? group.restored : (group.restored ?? 0) + found,
    });
  }
  return [...groups.values()];
}
