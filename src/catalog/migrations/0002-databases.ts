import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

import { idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

/** Registered databases. */
export class CreateDatabases1763700000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'databases',
        columns: [
          idOf(),
          wordOf('name', 63),
          wordOf('engine', 32),
          wordOf('host', 253),
          integerOf('port'),
          textOf('database_name'),
          textOf('username', { isNullable: true }),
          wordOf('username_var', 128, { isNullable: true }),
          textOf('password_sealed', { isNullable: true }),
          wordOf('password_var', 128, { isNullable: true }),
          textOf('tls'),
          textOf('options'),
          timeOf('created_at'),
          timeOf('updated_at'),
        ],
        uniques: [{ name: 'uq_databases_name', columnNames: ['name'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('databases');
  }
}
