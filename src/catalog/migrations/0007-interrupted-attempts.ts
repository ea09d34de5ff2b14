import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

import { integerOf } from '../columns.js';

const TABLES = ['backups', 'restores'] as const;

/** How many attempts were ended by a stop of the service, and therefore say nothing against the next one. */
export class AddInterruptedAttempts1763700000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.addColumn(table, new TableColumn(integerOf('interrupted_attempts', { default: 0 })));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.dropColumn(table, 'interrupted_attempts');
  }
}
