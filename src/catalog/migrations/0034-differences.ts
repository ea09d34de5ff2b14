import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { idOf, timeOf } from '../columns.js';

const COLUMNS = [
  timeOf('differed_at', { isNullable: true }),
  idOf('differed_restore_id', { isNullable: true }),
];

/** Which restore of a backup has last given something else than was backed up. */
export class AddDifferences1763700000034 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const column of COLUMNS) await runner.addColumn('backups', new TableColumn(column));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of COLUMNS.toReversed()) await runner.dropColumn('backups', name);
  }
}
