import { type MigrationInterface, type QueryRunner, Table, TableColumn } from 'typeorm';

import { textOf, timeOf, wordOf } from '../columns.js';

/** The marks by which destinations are known again, and what was found wrong with a copy. */
export class CreateMarksAndFaults1763700000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'destination_marks',
        columns: [
          wordOf('destination', 63, { isPrimary: true }),
          wordOf('mark', 36, { isNullable: true }),
          wordOf('witness_key', 400, { isNullable: true }),
        ],
      }),
    );
    await this.#expectWhatIsStored(runner);
    for (const column of [
      timeOf('fault_at', { isNullable: true }),
      wordOf('fault_code', 64, { isNullable: true }),
      textOf('fault_detail', { isNullable: true }),
    ]) {
      await runner.addColumn('backup_copies', new TableColumn(column));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('backup_copies', ['fault_at', 'fault_code', 'fault_detail']);
    await runner.dropTable('destination_marks');
  }

  /** A destination in use before there were marks gets one only where its newest archive lies, not on an empty mount point. */
  async #expectWhatIsStored(runner: QueryRunner): Promise<void> {
    await runner.query(
      `INSERT INTO destination_marks (destination, mark, witness_key)
       SELECT c.destination, NULL, MAX(c.manifest_key) FROM backup_copies c
        WHERE c.state = 'stored'
          AND c.created_at = (SELECT MAX(n.created_at) FROM backup_copies n
                               WHERE n.state = 'stored' AND n.destination = c.destination)
        GROUP BY c.destination`,
    );
  }
}
