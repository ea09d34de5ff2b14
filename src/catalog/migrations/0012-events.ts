import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

import { bytesOf, idOf, integerOf, textOf, timeOf, wordOf } from '../columns.js';

/** What happened, numbered in the order of the commits, and how often each thing has happened in all. */
export class CreateEvents1763700000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(events());
    await runner.createTable(totals());
    await runner.createTable(
      new Table({
        name: 'event_counter',
        columns: [integerOf('id', { isPrimary: true }), bytesOf('last_number')],
      }),
    );
    await runner.query('INSERT INTO event_counter (id, last_number) VALUES (1, 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['event_counter', 'event_totals', 'events']) await runner.dropTable(name);
  }
}

function events(): Table {
  return new Table({
    name: 'events',
    columns: [
      bytesOf('number', { isPrimary: true }),
      wordOf('name', 40),
      timeOf('at'),
      wordOf('subject_kind', 16),
      idOf('subject_id', {}),
      idOf('database_id', { isNullable: true }),
      wordOf('database_name', 63, { isNullable: true }),
      textOf('facts'),
    ],
  });
}

function totals(): Table {
  return new Table({
    name: 'event_totals',
    columns: [
      wordOf('event_name', 40, { isPrimary: true }),
      idOf('database_id'),
      bytesOf('count'),
      bytesOf('duration_ms'),
      textOf('duration_buckets'),
    ],
  });
}
