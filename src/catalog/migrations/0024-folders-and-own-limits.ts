import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { booleanOf, wordOf } from '../columns.js';

const OF_BACKUPS = [
  booleanOf('cleanup_old', { isNullable: true }),
  wordOf('destination', 1024, { isNullable: true }),
];

/** Where names of destinations stand. They were at most 63 characters long; a folder is a destination under its own path. */
const DESTINATIONS = [
  { table: 'backup_copies', extra: {} },
  { table: 'destination_marks', extra: { isPrimary: true } },
];

/** Backups that go to a folder of their own, and those after which nothing is cleaned up. */
export class AddFoldersAndOwnLimits1763700000024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const column of OF_BACKUPS) await runner.addColumn('backups', new TableColumn(column));
    for (const { table, extra } of DESTINATIONS) await resize(runner, table, extra, 63, 1024);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table, extra } of DESTINATIONS.toReversed()) await resize(runner, table, extra, 1024, 63);
    for (const { name } of OF_BACKUPS.toReversed()) await runner.dropColumn('backups', name);
  }
}

/**
 * SQLite keeps texts of any length, whatever its tables say. TypeORM would change a length by dropping the column, on PostgreSQL too,
 * with all that is in it.
 */
async function resize(
  runner: QueryRunner,
  table: string,
  extra: Parameters<typeof wordOf>[2],
  from: number,
  to: number,
): Promise<void> {
  if (runner.connection.options.type === 'postgres') {
    await runner.query(`ALTER TABLE ${table} ALTER COLUMN destination TYPE varchar(${to})`);
    return;
  }
  const before = new TableColumn(wordOf('destination', from, extra));
  await runner.changeColumn(table, before, new TableColumn(wordOf('destination', to, extra)));
}
