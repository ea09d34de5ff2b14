import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from 'typeorm';

import { booleanOf, idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

/** The verifications of backups. */
export class CreateVerifications1763700000042 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(verifications());
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('verifications');
  }
}

const optional = { isNullable: true };

function verifications(): Table {
  return new Table({
    name: 'verifications',
    columns: columns(),
    foreignKeys: [
      {
        name: 'fk_verifications_backup',
        columnNames: ['backup_id'],
        referencedTableName: 'backups',
        referencedColumnNames: ['id'],
      },
      {
        name: 'fk_verifications_database',
        columnNames: ['database_id'],
        referencedTableName: 'databases',
        referencedColumnNames: ['id'],
        onDelete: 'SET NULL',
      },
    ],
    indices: [
      { name: 'ix_verifications_created', columnNames: ['created_at', 'id'] },
      { name: 'ix_verifications_backup', columnNames: ['backup_id', 'created_at', 'id'] },
      { name: 'ix_verifications_database', columnNames: ['database_id', 'created_at', 'id'] },
      { name: 'uq_verifications_idempotency', columnNames: ['idempotency_key'], isUnique: true },
    ],
  });
}

function columns(): TableColumnOptions[] {
  return [
    idOf(),
    idOf('backup_id', {}),
    idOf('database_id', optional),
    wordOf('database_name', 63),
    wordOf('level', 16),
    wordOf('level_reached', 16, optional),
    wordOf('status', 16),
    wordOf('trigger', 16),
    timeOf('created_at'),
    timeOf('started_at', optional),
    timeOf('completed_at', optional),
    integerOf('attempt'),
    integerOf('interrupted_attempts'),
    booleanOf('cancel_requested'),
    wordOf('idempotency_key', 255, optional),
    textOf('copies'),
    wordOf('error_code', 64, optional),
    textOf('error_detail', optional),
    booleanOf('error_retryable', optional),
  ];
}
