import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { textOf } from '../columns.js';

/** What an engine needs to connect besides host, port, name and credentials: a JSON object of texts. */
export class AddConnectionParameters1763700000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The default is for the rows that are there; it goes again, as the entity has none.
    await runner.addColumn('databases', new TableColumn(textOf('parameters', { default: "'{}'" })));
    await runner.changeColumn('databases', 'parameters', new TableColumn(textOf('parameters')));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('databases', 'parameters');
  }
}
