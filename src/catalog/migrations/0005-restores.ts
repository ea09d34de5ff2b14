import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from 'typeorm';

import { booleanOf, idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

/** The restores of backups. */
export class CreateRestores1763700000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(restores());
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('restores');
  }
}

const optional = { isNullable: true };

function restores(): Table {
  return new Table({
    name: 'restores',
    columns: columns(),
    foreignKeys: [
      {
        name: 'fk_restores_backup',
        columnNames: ['backup_id'],
        referencedTableName: 'backups',
        referencedColumnNames: ['id'],
      },
      {
        name: 'fk_restores_database',
        columnNames: ['target_database_id'],
        referencedTableName: 'databases',
        referencedColumnNames: ['id'],
        onDelete: 'SET NULL',
      },
      {
        name: 'fk_restores_safety_backup',
        columnNames: ['safety_backup_id'],
        referencedTableName: 'backups',
        referencedColumnNames: ['id'],
      },
    ],
    indices: [
      { name: 'ix_restores_created', columnNames: ['created_at', 'id'] },
      { name: 'ix_restores_backup', columnNames: ['backup_id'] },
      { name: 'ix_restores_database', columnNames: ['target_database_id'] },
      { name: 'uq_restores_active_target', columnNames: ['active_target'], isUnique: true },
      { name: 'uq_restores_idempotency', columnNames: ['idempotency_key'], isUnique: true },
    ],
  });
}

function columns(): TableColumnOptions[] {
  return [
    idOf(),
    idOf('backup_id', {}),
    wordOf('engine', 16),
    wordOf('status', 16),
    wordOf('mode', 16),
    wordOf('stage', 16),
    idOf('target_database_id', optional),
    wordOf('target_host', 255),
    integerOf('target_port'),
    textOf('target_database_name'),
    textOf('connection_sealed', optional),
    wordOf('active_target', 400, optional),
    textOf('fresh_name', optional),
    textOf('kept_as', optional),
    textOf('tables', optional),
    integerOf('jobs'),
    booleanOf('safety_backup'),
    booleanOf('keep_old'),
    booleanOf('end_connections'),
    idOf('safety_backup_id', optional),
    timeOf('created_at'),
    timeOf('started_at', optional),
    timeOf('completed_at', optional),
    integerOf('attempt'),
    booleanOf('cancel_requested'),
    wordOf('idempotency_key', 255, optional),
    textOf('result', optional),
    wordOf('error_code', 64, optional),
    textOf('error_detail', optional),
    booleanOf('error_retryable', optional),
    textOf('error_facts', optional),
  ];
}
