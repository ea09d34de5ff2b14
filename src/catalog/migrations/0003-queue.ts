import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

import { idOf, integerOf, timeOf, wordOf } from '../columns.js';

/** Tickets of the work queue. The partial unique index is what keeps one key from running twice at once. */
export class CreateTickets1763700000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'tickets',
        columns: [
          idOf(),
          wordOf('kind', 32),
          idOf('subject_id', {}),
          wordOf('exclusive_key', 400, { isNullable: true }),
          wordOf('lane', 300, { isNullable: true }),
          timeOf('run_after'),
          integerOf('claims'),
          idOf('lease_token', { isNullable: true }),
          timeOf('lease_until', { isNullable: true }),
        ],
        uniques: [{ name: 'uq_tickets_subject', columnNames: ['kind', 'subject_id'] }],
        indices: [
          { name: 'ix_tickets_run_after', columnNames: ['run_after'] },
          {
            name: 'uq_tickets_exclusive',
            columnNames: ['exclusive_key'],
            isUnique: true,
            where: 'lease_token IS NOT NULL',
          },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('tickets');
  }
}
