import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

import { idOf, textOf, wordOf } from '../columns.js';

/** Policies of schedules that were removed, for the backups that they have made. */
export class CreateRemovedSchedules1763700000032 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'removed_schedules',
        columns: [idOf(), idOf('database_id', {}), wordOf('name', 63), textOf('retention')],
        foreignKeys: [
          {
            name: 'fk_removed_schedules_database',
            columnNames: ['database_id'],
            referencedTableName: 'databases',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
          },
        ],
        indices: [{ name: 'ix_removed_schedules_database', columnNames: ['database_id'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('removed_schedules');
  }
}
