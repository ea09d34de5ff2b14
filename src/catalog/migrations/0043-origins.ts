import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

import { wordOf } from '../columns.js';

const TABLES = ['databases', 'schedules'];
const COLUMNS = [
  wordOf('idempotency_key', 255, { isNullable: true }),
  wordOf('request_mark', 64, { isNullable: true }),
];

/** By which request a database was registered, or a schedule made, so that the same one, sent again, makes no second. */
export class AddOrigins1763700000043 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.addColumns(
        table,
        COLUMNS.map((column) => new TableColumn(column)),
      );
      await runner.createIndex(table, keysOf(table));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) {
      await runner.dropIndex(table, keysOf(table));
      await runner.dropColumns(
        table,
        COLUMNS.map(({ name }) => name),
      );
    }
  }
}

/** Rows without a key are no matter of it: nulls differ. */
function keysOf(table: string): TableIndex {
  return new TableIndex({
    name: `uq_${table}_idempotency`,
    columnNames: ['idempotency_key'],
    isUnique: true,
  });
}
