import { Column, Entity, type MigrationInterface, PrimaryColumn, type QueryRunner, Table } from 'typeorm';

import { bytesColumn, bytesOf, timeColumn, timeOf, wordOf } from '../../src/catalog/columns.ts';

/** A table for tests of the catalog itself, so that they do not depend on any room's. */
@Entity({ name: 'notes' })
export class Note {
  @PrimaryColumn({ name: 'name', type: 'varchar', length: '20' })
  name: string;

  @Column({ name: 'written_at', nullable: true, ...timeColumn })
  writtenAt: Date | null;

  @Column({ name: 'size_bytes', nullable: true, ...bytesColumn })
  sizeBytes: number | null;
}

export class CreateNotes1763700000901 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const columns = [
      wordOf('name', 20, { isPrimary: true }),
      timeOf('written_at', { isNullable: true }),
      bytesOf('size_bytes', { isNullable: true }),
    ];
    await runner.createTable(new Table({ name: 'notes', columns }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('notes');
  }
}

export const NOTES = { entities: [Note], migrations: [CreateNotes1763700000901] };

/** Notes that differ in their name only. */
export function note(name: string): Note {
  return Object.assign(new Note(), { name, writtenAt: null, sizeBytes: null });
}
