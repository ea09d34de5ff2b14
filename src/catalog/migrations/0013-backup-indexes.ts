import { type MigrationInterface, type QueryRunner, TableIndex } from 'typeorm';

/** For what each scrape of the metrics asks of every database: its newest completed backup, and when it was last proven. */
export class IndexBackups1763700000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createIndices('backups', [
      new TableIndex({
        name: 'ix_backups_database_status',
        columnNames: ['database_id', 'status', 'created_at'],
      }),
      new TableIndex({
        name: 'ix_backups_evidence',
        columnNames: ['database_id', 'evidence_level', 'evidence_at'],
        where: "status = 'completed'",
      }),
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('backups', 'ix_backups_evidence');
    await runner.dropIndex('backups', 'ix_backups_database_status');
  }
}
