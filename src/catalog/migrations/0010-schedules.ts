import { type MigrationInterface, type QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

import { booleanOf, idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

const optional = { isNullable: true };

/** Schedules, and which slot of which schedule a backup was made for. */
export class CreateSchedules1763700000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(schedules());
    await runner.addColumn('backups', new TableColumn(idOf('schedule_id', optional)));
    await runner.addColumn('backups', new TableColumn(timeOf('slot_at', optional)));
    // One slot is one backup, whatever the number of tickers. Rows without a schedule are no matter of it: nulls differ.
    await runner.createIndex('backups', slotIndex());
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('backups', slotIndex());
    for (const column of ['slot_at', 'schedule_id']) await runner.dropColumn('backups', column);
    await runner.dropTable('schedules');
  }
}

function slotIndex(): TableIndex {
  return new TableIndex({
    name: 'uq_backups_schedule_slot',
    columnNames: ['schedule_id', 'slot_at'],
    isUnique: true,
  });
}

function schedules(): Table {
  return new Table({
    name: 'schedules',
    columns: [
      idOf(),
      idOf('database_id', {}),
      wordOf('name', 63),
      wordOf('cron', 255, optional),
      integerOf('interval_hours', optional),
      wordOf('timezone', 64, optional),
      booleanOf('enabled'),
      wordOf('catch_up', 8),
      integerOf('jitter_seconds'),
      textOf('blackouts'),
      textOf('retention', optional),
      timeOf('anchor_at'),
      timeOf('settled_until'),
      timeOf('next_run_at', optional),
      timeOf('last_run_at', optional),
      idOf('last_backup_id', optional),
      timeOf('created_at'),
      timeOf('updated_at'),
    ],
    foreignKeys: [
      {
        name: 'fk_schedules_database',
        columnNames: ['database_id'],
        referencedTableName: 'databases',
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
    indices: [
      { name: 'uq_schedules_name', columnNames: ['database_id', 'name'], isUnique: true },
      { name: 'ix_schedules_next', columnNames: ['next_run_at'] },
      { name: 'ix_schedules_settled', columnNames: ['settled_until'] },
    ],
  });
}
