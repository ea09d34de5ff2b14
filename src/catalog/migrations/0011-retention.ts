import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { integerOf, textOf } from '../columns.js';

const optional = { isNullable: true };

const OF_BACKUPS = [
  textOf('keep_reasons', optional),
  integerOf('retention_days', optional),
  textOf('removal_note', optional),
];

/** Policies of databases, and what retention knows of a backup. */
export class AddRetention1763700000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn('databases', new TableColumn(textOf('retention', optional)));
    for (const column of OF_BACKUPS) await runner.addColumn('backups', new TableColumn(column));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of OF_BACKUPS.toReversed()) await runner.dropColumn('backups', name);
    await runner.dropColumn('databases', 'retention');
  }
}
