import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { dataSourceOptions } from '../../src/catalog/data-sources.ts';
import { openCatalog, type OpenCatalog } from '../../src/catalog/open-catalog.ts';
import { Note, note, NOTES } from './notes.ts';
import { catalogKinds, type FreshPlace, freshSqlite } from './places.ts';

/** A promise and the function that fulfils it. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

async function namesIn(catalog: Catalog): Promise<string[]> {
  const rows = await catalog.read.find(Note, { order: { name: 'ASC' } });
  return rows.map((row) => row.name);
}

describe.each(catalogKinds())('a catalog on $name', ({ fresh, kind }) => {
  let place: FreshPlace;
  let open: OpenCatalog;
  let catalog: Catalog;
  beforeEach(async () => {
    place = await fresh();
    open = await openCatalog(place.location, NOTES);
    catalog = open.catalog;
  });
  afterEach(async () => {
    await open.close();
    await place[Symbol.asyncDispose]();
  });

  it('keeps what B and C have written while A was open and then failed', async () => {
    const inserted = gate();
    const fail = gate();
    const a = catalog.write(async (tx) => {
      await tx.insert(Note, note('A'));
      inserted.open();
      await fail.opened;
      throw new Error('A fails');
    });
    await inserted.opened;
    const b = catalog.write((tx) => tx.insert(Note, note('B')));
    const c = catalog.write((tx) => tx.insert(Note, note('C')));
    // B and C have been asked for while A is in the middle; on SQLite they may only wait.
    fail.open();
    await expect(a).rejects.toThrow('A fails');
    await Promise.all([b, c]);
    expect(await namesIn(catalog)).toEqual(['B', 'C']);
  });

  it('has another revision when a write is told of, also when it failed; and none where others write too', async () => {
    const revisions = [catalog.revision];
    await catalog.write((tx) => tx.insert(Note, note('A')));
    revisions.push(catalog.revision);
    await catalog
      .write(() => Promise.reject(new Error('B fails')))
      .catch(() => revisions.push(catalog.revision));
    if (kind === 'sqlite') expect(new Set(revisions).size).toBe(3);
    else expect(revisions).toEqual([undefined, undefined, undefined]);
  });

  it('shows a reader committed rows only', async () => {
    await catalog.write(async (tx) => {
      await tx.insert(Note, note('first'));
      expect(await tx.count(Note)).toBe(1);
      expect(await catalog.read.count(Note)).toBe(0);
    });
    expect(await catalog.read.count(Note)).toBe(1);
  });

  it('lets nobody write through the reading connection', async () => {
    await expect(catalog.read.insert(Note, note('smuggled'))).rejects.toThrow(/read-?only/i);
    await expect(catalog.read.query('DELETE FROM notes')).rejects.toThrow(/read-?only/i);
  });

  it('gives what the work gives, and goes on after work that failed', async () => {
    const failed = catalog.write(async (tx) => {
      await tx.insert(Note, note('twice'));
      await tx.insert(Note, note('twice'));
    });
    await expect(failed).rejects.toThrow(/unique/i);
    expect(await catalog.write((tx) => tx.count(Note))).toBe(0);
  });

  it('keeps hundreds of concurrent increments', async () => {
    await catalog.write((tx) => tx.insert(Note, { name: 'sum', sizeBytes: 0 }));
    const add = (): Promise<unknown> =>
      catalog.write((tx) => tx.increment(Note, { name: 'sum' }, 'sizeBytes', 1));
    await Promise.all(Array.from({ length: 300 }, add));
    expect(await catalog.read.findOneByOrFail(Note, { name: 'sum' })).toMatchObject({ sizeBytes: 300 });
  });

  it('refuses a write inside of a write instead of waiting for itself', async () => {
    const outer = catalog.write(async (tx) => {
      await tx.insert(Note, note('outer'));
      await catalog.write((inner) => inner.insert(Note, note('inner')));
    });
    await expect(outer).rejects.toThrow('pass the transaction `tx` on instead');
    expect(await namesIn(catalog)).toEqual([]);
  });

  it('lets work that was merely started inside of a write do its own later', async () => {
    const committed = gate();
    let later: Promise<unknown> | undefined;
    await catalog.write(async (tx) => {
      await tx.insert(Note, note('now'));
      later = committed.opened.then(() => catalog.write((own) => own.insert(Note, note('later'))));
    });
    committed.open();
    await later;
    expect(await namesIn(catalog)).toEqual(['later', 'now']);
  });

  it('takes "undefined" and null in a condition for a mistake, never for "every row"', async () => {
    await catalog.write((tx) => tx.insert(Note, note('kept')));
    const name = undefined as unknown as string;
    await expect(catalog.read.find(Note, { where: { name } })).rejects.toThrow(/undefined/i);
    await expect(catalog.write((tx) => tx.delete(Note, { name }))).rejects.toThrow();
    expect(await namesIn(catalog)).toEqual(['kept']);
  });

  it('commits again what is written after the disk was full', async (context) => {
    context.skip(kind !== 'sqlite', 'the disk of a PostgreSQL server is its own business');
    const limit = (pages: number): Promise<unknown> =>
      catalog.write((tx) => tx.query(`PRAGMA max_page_count = ${pages}`));
    await limit(1); // SQLite takes it for "no more than now"
    const fill = async (): Promise<never> => {
      for (let i = 0; ; i += 1) await catalog.write((tx) => tx.insert(Note, note(`filler ${i}`)));
    };
    await expect(fill()).rejects.toMatchObject({
      code: 'catalog-full',
      retryable: true,
      message: expect.stringMatching(/^the disk of the catalog \/.*backup\.db is full/),
    });
    await limit(1_000_000);
    const refused = catalog.write(async (tx) => {
      await tx.insert(Note, note('refused'));
      throw new Error('an everyday refusal');
    });
    await expect(refused).rejects.toThrow('an everyday refusal');
    await catalog.write((tx) => tx.insert(Note, note('later')));
    expect(await catalog.read.findBy(Note, { name: 'later' })).toHaveLength(1);
    expect(await catalog.read.findBy(Note, { name: 'refused' })).toEqual([]);
  });

  it('says so when the disk of its server is full', async (context) => {
    context.skip(kind !== 'postgres', 'played above on SQLite itself');
    // The disk of a shared server cannot be filled for a test; its words can be had.
    const full = `DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$`;
    const refused = catalog.write(async (tx) => {
      await tx.insert(Note, note('refused'));
      await tx.query(full);
    });
    await expect(refused).rejects.toMatchObject({ code: 'catalog-full', retryable: true });
    expect(await namesIn(catalog)).toEqual([]);
  });

  it('has its settings in force on both connections', async () => {
    if (kind === 'postgres') {
      // Else a service that is suspended in a transaction keeps all others waiting.
      const rows = await catalog.write((tx) => tx.query('SHOW idle_in_transaction_session_timeout'));
      expect(rows).toEqual([{ idle_in_transaction_session_timeout: '10s' }]);
      const readers = await catalog.read.query('SHOW default_transaction_read_only');
      expect(readers).toEqual([{ default_transaction_read_only: 'on' }]);
      return;
    }
    const ask = (pragma: string): string => `SELECT * FROM pragma_${pragma}`;
    for (const each of ['write', 'read'] as const) {
      const value = async (pragma: string): Promise<unknown> => {
        const rows: Record<string, unknown>[] =
          each === 'read'
            ? await catalog.read.query(ask(pragma))
            : await catalog.write((tx) => tx.query(ask(pragma)));
        return Object.values(rows[0] ?? {})[0];
      };
      expect(await value('journal_mode'), each).toBe('wal');
      expect(await value('foreign_keys'), each).toBe(1);
      expect(await value('busy_timeout'), each).toBe(5000);
      expect(await value('query_only'), each).toBe(each === 'read' ? 1 : 0);
      if (each === 'write') expect(await value('synchronous')).toBe(2);
    }
  });
});

describe('the reason for all this', () => {
  it('still is: bare transactions of one SQLite connection lose the rows of others', async () => {
    await using place = await freshSqlite();
    const opened = await openCatalog(place.location, NOTES);
    await opened.close();
    const bare = await new DataSource(dataSourceOptions(place.location, NOTES)).initialize();
    const inserted = gate();
    const fail = gate();
    const a = bare.transaction(async (tx) => {
      await tx.insert(Note, note('A'));
      inserted.open();
      await fail.opened;
      throw new Error('A fails');
    });
    await inserted.opened;
    await bare.transaction((tx) => tx.insert(Note, note('B')));
    fail.open();
    await expect(a).rejects.toThrow('A fails');
    // Should a newer TypeORM keep B, then the queue in Catalog.write can go.
    expect(await bare.manager.find(Note)).toEqual([]);
    await bare.destroy();
  });
});
