import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { textOf, timeOf, wordOf } from '../columns.js';

const optional = { isNullable: true };

const COLUMNS = [
  wordOf('removal_error_code', 64, optional),
  textOf('removal_error_detail', optional),
  timeOf('removal_error_at', optional),
];

/** What keeps a backup from being removed. */
export class AddRemovalErrors1763700000033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const column of COLUMNS) await runner.addColumn('backups', new TableColumn(column));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of COLUMNS.toReversed()) await runner.dropColumn('backups', name);
  }
}
