import { type MigrationInterface, type QueryRunner, TableIndex } from 'typeorm';

const byName = new TableIndex({
  name: 'ix_backups_name',
  columnNames: ['database_name', 'created_at', 'id'],
});
const byState = (columnNames: string[]): TableIndex =>
  new TableIndex({ name: 'ix_backup_copies_state', columnNames });

/** For lists of one database among a million backups of others, and for the newest discarded copies among all. */
export class IndexLists1763700000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createIndex('backups', byName);
    await runner.dropIndex('backup_copies', 'ix_backup_copies_state');
    await runner.createIndex('backup_copies', byState(['state', 'created_at']));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('backup_copies', 'ix_backup_copies_state');
    await runner.createIndex('backup_copies', byState(['state']));
    await runner.dropIndex('backups', 'ix_backups_name');
  }
}
