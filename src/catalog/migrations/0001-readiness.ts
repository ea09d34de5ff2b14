import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

import { timeOf, wordOf } from '../columns.js';

export class CreateReadiness1763700000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'readiness',
        columns: [wordOf('name', 20, { isPrimary: true }), timeOf('checked_at')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('readiness');
  }
}
