import { type MigrationInterface, type QueryRunner, TableIndex } from 'typeorm';

/** The indices in which a list of backups is read, with the columns that each had. */
const LISTS = {
  ix_backups_created: ['created_at', 'id'],
  ix_backups_database: ['database_id', 'created_at'],
  ix_backups_name: ['database_name', 'created_at', 'id'],
};
const FILTERS = ['status', 'trigger', 'evidence_level'];

/** For lists of backups by state, trigger and evidence, which read every row before. */
export class IndexFiltersOfLists1763700000041 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [name, columns] of Object.entries(LISTS)) {
      const order = columns.includes('id') ? columns : [...columns, 'id'];
      await replace(runner, name, [...order, ...FILTERS]);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [name, columns] of Object.entries(LISTS)) await replace(runner, name, columns);
  }
}

async function replace(runner: QueryRunner, name: string, columnNames: string[]): Promise<void> {
  await runner.dropIndex('backups', name);
  await runner.createIndex('backups', new TableIndex({ name, columnNames }));
}
