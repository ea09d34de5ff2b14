import { type ColumnOptions, FindOperator, type TableColumnOptions, type ValueTransformer } from 'typeorm';

/**
 * Column types that mean the same on SQLite and on PostgreSQL, each as the pair that an entity (`@Column({ name, ...x })`)
 * and a migration (`xColumn(name)`) need, so that the two cannot disagree.
 */

/** ISO 8601 in UTC with milliseconds: as text it sorts as time does, on every dialect. */
export function toTimeText(time: Date): string {
  return time.toISOString();
}

const time: ValueTransformer = {
  to: (value: unknown) => {
    // In `find` TypeORM looks into operators such as `LessThan(date)` itself; in `update` and `delete` it does not.
    if (value instanceof FindOperator) value.transformValue(time);
    return value instanceof Date ? toTimeText(value) : value;
  },
  from: (value: unknown) => (typeof value === 'string' ? new Date(value) : value),
};

const wholeNumber: ValueTransformer = {
  to: (value: unknown) => value,
  // The PostgreSQL driver gives int8 as text, as it may exceed 2^53. Sizes do not: that is 8 PiB.
  from: (value: unknown) => (typeof value === 'string' ? Number(value) : value),
};

/** A moment: `Date` in the entity, ISO text in the table. Raw query parameters must go through {@link toTimeText}. */
export const timeColumn = {
  type: 'varchar',
  length: '24',
  transformer: time,
} as const satisfies ColumnOptions;

/** A size or a count that may exceed 2^31: a number in the entity. */
export const bytesColumn = { type: 'bigint', transformer: wholeNumber } as const satisfies ColumnOptions;

/** An id made by us: UUID v7 as text. */
export const idColumn = { type: 'varchar', length: '36' } as const satisfies ColumnOptions;

type Extra = Omit<TableColumnOptions, 'name' | 'type'>;

export const idOf = (name = 'id', extra: Extra = { isPrimary: true }): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: '36',
  ...extra,
});
export const timeOf = (name: string, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: '24',
  ...extra,
});
export const bytesOf = (name: string, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'bigint',
  ...extra,
});
export const integerOf = (name: string, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'integer',
  ...extra,
});
export const booleanOf = (name: string, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'boolean',
  ...extra,
});
/** Long text, and `simple-json`. */
export const textOf = (name: string, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'text',
  ...extra,
});
export const wordOf = (name: string, length: number, extra: Extra = {}): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
  ...extra,
});
