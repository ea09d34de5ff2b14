import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from 'typeorm';

import { booleanOf, bytesOf, idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

const optional = { isNullable: true };

/** Backups, their copies and logs. */
export class CreateBackups1763700000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of [backups(), copies(), logs()]) await runner.createTable(table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['backup_logs', 'backup_copies', 'backups']) await runner.dropTable(name);
  }
}

function backups(): Table {
  return new Table({
    name: 'backups',
    columns: backupColumns(),
    foreignKeys: [
      {
        name: 'fk_backups_database',
        columnNames: ['database_id'],
        referencedTableName: 'databases',
        referencedColumnNames: ['id'],
        onDelete: 'SET NULL',
      },
    ],
    indices: [
      { name: 'ix_backups_created', columnNames: ['created_at', 'id'] },
      { name: 'ix_backups_database', columnNames: ['database_id', 'created_at'] },
      { name: 'ix_backups_status', columnNames: ['status', 'created_at'] },
      { name: 'ix_backups_filename', columnNames: ['filename'] },
      { name: 'uq_backups_idempotency', columnNames: ['idempotency_key'], isUnique: true },
      // At most one backup of a database runs, whatever the number of workers.
      {
        name: 'uq_backups_running',
        columnNames: ['database_id'],
        isUnique: true,
        where: "status = 'running'",
      },
    ],
  });
}

function backupColumns(): TableColumnOptions[] {
  return [
    idOf(),
    idOf('database_id', optional),
    wordOf('database_name', 63),
    wordOf('database_host', 253),
    wordOf('engine', 32),
    wordOf('status', 16),
    wordOf('trigger', 16),
    textOf('description', optional),
    booleanOf('locked'),
    timeOf('created_at'),
    timeOf('started_at', optional),
    timeOf('completed_at', optional),
    integerOf('attempt'),
    booleanOf('cancel_requested'),
    wordOf('idempotency_key', 255, optional),
    wordOf('filename', 255, optional),
    bytesOf('size_bytes', optional),
    bytesOf('plain_bytes', optional),
    wordOf('sha256', 64, optional),
    wordOf('manifest_sha256', 64, optional),
    wordOf('format', 16, optional),
    wordOf('compression', 16, optional),
    wordOf('tool', 255, optional),
    wordOf('server_version', 255, optional),
    textOf('contents', optional),
    integerOf('evidence_level', optional),
    timeOf('evidence_at', optional),
    bytesOf('evidence_restore_ms', optional),
    wordOf('error_code', 64, optional),
    textOf('error_detail', optional),
    booleanOf('error_retryable', optional),
  ];
}

function copies(): Table {
  return new Table({
    name: 'backup_copies',
    columns: [
      idOf(),
      idOf('backup_id', {}),
      integerOf('attempt'),
      wordOf('destination', 63),
      wordOf('key', 400),
      wordOf('manifest_key', 400),
      textOf('keys'),
      wordOf('state', 16),
      timeOf('created_at'),
    ],
    foreignKeys: [toBackup('fk_backup_copies_backup')],
    indices: [
      { name: 'ix_backup_copies_backup', columnNames: ['backup_id'] },
      { name: 'ix_backup_copies_state', columnNames: ['state'] },
      { name: 'uq_backup_copies_key', columnNames: ['destination', 'key'], isUnique: true },
    ],
  });
}

function logs(): Table {
  return new Table({
    name: 'backup_logs',
    columns: [idOf('backup_id'), integerOf('attempt', { isPrimary: true }), textOf('text')],
    foreignKeys: [toBackup('fk_backup_logs_backup')],
  });
}

function toBackup(name: string) {
  return {
    name,
    columnNames: ['backup_id'],
    referencedTableName: 'backups',
    referencedColumnNames: ['id'],
  };
}
