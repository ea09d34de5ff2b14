import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { textOf, timeOf } from '../columns.js';

const optional = { isNullable: true };

/** What a schedule's next run was computed from, and the run that it still has to make. */
export class AddScheduleFiring1763700000026 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn('schedules', new TableColumn(textOf('firing', optional)));
    await runner.addColumn('schedules', new TableColumn(timeOf('owed_at', optional)));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of ['owed_at', 'firing']) await runner.dropColumn('schedules', column);
  }
}
