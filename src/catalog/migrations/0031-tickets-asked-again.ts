import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { timeOf } from '../columns.js';

/** Whether, and for when, a ticket was sent again since it was claimed. */
export class AddTicketsAsked1763700000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn('tickets', new TableColumn(timeOf('asked_for', { isNullable: true })));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('tickets', 'asked_for');
  }
}
