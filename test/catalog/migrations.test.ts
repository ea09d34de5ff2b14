import 'reflect-metadata';

import {
  DataSource,
  getMetadataArgsStorage,
  type MigrationInterface,
  type QueryRunner,
  Table,
} from 'typeorm';
import { describe, expect, it } from 'vitest';

import { dataSourceOptions } from '../../src/catalog/data-sources.ts';
import { AddOrigins1763700000043 } from '../../src/catalog/migrations/0043-origins.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { wordOf } from '../../src/catalog/columns.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import { catalogKinds, type CatalogKind } from './places.ts';
// Every entity that a room registers is decorated by importing the whole service.
import '../../src/app.module.ts';

const entities = getMetadataArgsStorage().tables.flatMap(({ target }) =>
  typeof target === 'function' ? [target as new () => object] : [],
);
const ALL = { entities, migrations: MIGRATIONS };

class CreateBroken1763700000998 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(new Table({ name: 'half', columns: [wordOf('name', 20, { isPrimary: true })] }));
    throw new Error('this migration fails in its middle');
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('never applied'));
  }
}

/** A table as it is meant, whatever the dialect calls its parts. */
interface TableShape {
  columns: string[];
  unique: string[];
  foreign: string[];
}

/** SQLite's "varchar" and PostgreSQL's "character varying" are one type. */
const MEANING: Record<string, string> = {
  'character varying': 'varchar',
  int: 'integer',
  int8: 'bigint',
  bool: 'boolean',
};

async function shapesOf(kind: CatalogKind): Promise<Record<string, TableShape>> {
  await using place = await kind.fresh();
  await (await openCatalog(place.location, ALL)).close();
  const source = await new DataSource(dataSourceOptions(place.location, ALL)).initialize();
  const runner = source.createQueryRunner();
  const shapes: Record<string, TableShape> = {};
  for (const { tableName } of source.entityMetadatas) {
    const table = await runner.getTable(tableName);
    if (table === undefined) continue;
    shapes[tableName] = {
      columns: table.columns.map(({ name, type, isNullable, isPrimary, length }) => {
        const word = MEANING[type] ?? type;
        return `${name} ${word}${length} ${isNullable ? 'null' : 'not null'}${isPrimary ? ' key' : ''}`;
      }),
      // SQLite lists a unique constraint as such, PostgreSQL too; unique indices are another thing on both.
      unique: [
        ...table.uniques.map((each) => each.columnNames.join()),
        ...table.indices.map(
          (each) =>
            `${each.isUnique ? 'unique ' : ''}index ${each.name} ${each.columnNames.toSorted().join()}`,
        ),
      ].toSorted(),
      foreign: table.foreignKeys
        .map((each) => `${each.columnNames.join()} -> ${each.referencedTableName} ${each.onDelete}`)
        .toSorted(),
    };
  }
  await runner.release();
  await source.destroy();
  return shapes;
}

describe.each(catalogKinds())('the migrations on $name', (kind) => {
  it('make from nothing exactly what the entities describe', async () => {
    await using place = await kind.fresh();
    await (await openCatalog(place.location, ALL)).close();
    const source = await new DataSource(dataSourceOptions(place.location, ALL)).initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    expect(entities.length).toBeGreaterThan(0);
  });

  it('run once', async () => {
    await using place = await kind.fresh();
    for (let start = 0; start < 2; start += 1) {
      const { catalog, close } = await openCatalog(place.location, ALL);
      const [row] = await catalog.read.query<{ count: unknown }[]>(
        'SELECT count(*) AS count FROM migrations',
      );
      expect(Number(row?.count)).toBe(MIGRATIONS.length);
      await close();
    }
  });

  it('can all be taken back', async () => {
    await using place = await kind.fresh();
    await (await openCatalog(place.location, ALL)).close();
    const source = await new DataSource(dataSourceOptions(place.location, ALL)).initialize();
    for (const _ of MIGRATIONS) await source.undoLastMigration();
    const runner = source.createQueryRunner();
    const left: boolean[] = [];
    for (const { tableName } of source.entityMetadatas) left.push(await runner.hasTable(tableName));
    await runner.release();
    await source.destroy();
    expect(left).not.toContain(true);
  });

  it('keep what is there: databases and schedules from before they had origins', async () => {
    await using place = await kind.fresh();
    const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(AddOrigins1763700000043));
    const older = await openCatalog(place.location, { entities: [], migrations: before });
    const time = '2026-11-21T03:00:00.000Z';
    await older.catalog.write(async (tx) => {
      await tx.query(`INSERT INTO databases (id, name, engine, host, port, database_name, parameters, tls, options,
        created_at, updated_at) VALUES ('d1', 'shop', 'postgres', 'db', 5432, 'shop', '{}', '{}', '{}',
        '${time}', '${time}')`);
      await tx.query(`INSERT INTO schedules (id, database_id, name, cron, enabled, catch_up, jitter_seconds, blackouts,
        anchor_at, settled_until, created_at, updated_at) VALUES ('s1', 'd1', 'default', '0 3 * * *', true, 'run', 0,
        '[]', '${time}', '${time}', '${time}', '${time}')`);
    });
    await older.close();
    const { catalog, close } = await openCatalog(place.location, ALL);
    const noOrigin = { idempotencyKey: null, requestMark: null };
    expect(await catalog.read.find(Database)).toMatchObject([{ id: 'd1', name: 'shop', ...noOrigin }]);
    const kept = { id: 's1', databaseId: 'd1', cron: '0 3 * * *', ...noOrigin };
    expect(await catalog.read.find(Schedule)).toMatchObject([kept]);
    // A schedule still goes with its database.
    await catalog.write((tx) => tx.delete(Database, { id: 'd1' }));
    expect(await catalog.read.count(Schedule)).toBe(0);
    await close();
  });

  it('are all done or none', async () => {
    await using place = await kind.fresh();
    const broken = { entities, migrations: [...MIGRATIONS, CreateBroken1763700000998] };
    await expect(openCatalog(place.location, broken)).rejects.toThrow('fails in its middle');
    const source = await new DataSource(dataSourceOptions(place.location, ALL)).initialize();
    const runner = source.createQueryRunner();
    const names = ['half', ...source.entityMetadatas.map((each) => each.tableName)];
    const left: boolean[] = [];
    for (const name of names) left.push(await runner.hasTable(name));
    await runner.release();
    await source.destroy();
    expect(left).not.toContain(true);
    // Nothing is held either: the right version starts.
    await (await openCatalog(place.location, ALL)).close();
  });

  it('refuse a catalog of a newer version, and leave it alone', async () => {
    await using place = await kind.fresh();
    const { catalog, close } = await openCatalog(place.location, ALL);
    await catalog.write((tx) =>
      tx.query(
        `INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'CreateFuture1999999999999')`,
      ),
    );
    await close();
    await expect(openCatalog(place.location, ALL)).rejects.toMatchObject({
      code: 'catalog-too-new',
      facts: { unknown_migrations: ['CreateFuture1999999999999'] },
    });
  });

  it('may be started by two services at once', async (context) => {
    context.skip(kind.kind !== 'postgres', 'a catalog in SQLite is for one service; that has its own test');
    await using place = await kind.fresh();
    const both = await Promise.all([openCatalog(place.location, ALL), openCatalog(place.location, ALL)]);
    for (const each of both) await each.close();
    expect(both).toHaveLength(2);
  });
});

describe('the tables', () => {
  it('mean the same on every dialect', async () => {
    const [sqlite, ...others] = await Promise.all(catalogKinds().map(shapesOf));
    expect(Object.keys(sqlite ?? {}).length).toBe(entities.length);
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(sqlite);
  });
});
