import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { DestinationMark } from '../../src/storage/destination-mark.entity.ts';
import { DestinationMarks } from '../../src/storage/destination-marks.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { MARK_KEY, MarkedStorage } from '../../src/storage/marked-storage.ts';
import { WatchedStorage } from '../../src/storage/watched-storage.ts';
import { storageContract } from '../contracts/storage.contract.ts';
import {
  contentOf,
  keysOf,
  never,
  openEndedStream,
  putText,
  rejectionOf,
  rejectionsOf,
  type StorageUnderTest,
  streamOf,
} from '../contracts/storage-under-test.ts';
import { until } from '../support/until.ts';
import { localFolderOf, openLocal } from './local-places.ts';

let base: string;
let folder: string;
let root: string;
let catalog: Catalog;
let closeCatalog: () => Promise<void>;

beforeAll(async () => {
  Logger.overrideLogger(false);
  base = await mkdtemp(join(tmpdir(), 'backstop-marked-'));
  const opened = await openCatalog(
    { kind: 'sqlite', path: join(base, 'catalog.db') },
    { entities: [DestinationMark], migrations: MIGRATIONS },
  );
  catalog = opened.catalog;
  closeCatalog = opened.close;
});
afterAll(async () => {
  await closeCatalog();
  await rm(base, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(base, 'place-'));
  root = join(folder, 'backups');
  await catalog.write((tx) => tx.clear(DestinationMark));
});

/** As a service that has just started sees the folder. */
function marked(): MarkedStorage {
  const where = { destination: 'local', place: `the folder ${root}` };
  return new MarkedStorage(new LocalStorage(root), where, new DestinationMarks(catalog));
}

const markIn = async (): Promise<string> => (await readFile(join(root, MARK_KEY), 'utf8')).trim();
const writeMark = (text: string): Promise<void> => writeFile(join(root, MARK_KEY), text);

/** Puts an empty folder in the place of the real one, as when its disk is not mounted. */
async function unmount(): Promise<void> {
  await rename(root, `${root}.disk`);
  await mkdir(root);
}

async function mountAgain(): Promise<void> {
  await rm(root, { recursive: true });
  await rename(`${root}.disk`, root);
}

/** Every call whose answer would be wrong at another place. */
function everyCall(storage: MarkedStorage): Promise<unknown>[] {
  return [
    putText(storage, 'shop/two', 'x'),
    storage.get('shop/one'),
    storage.stat('shop/one'),
    keysOf(storage),
    storage.delete('shop/one'),
    storage.sweep(),
  ];
}

describe('a marked storage', () => {
  test('marks the folder at its first use, and knows it again after a restart', async () => {
    await putText(marked(), 'shop/one', 'x');
    expect(await markIn()).toMatch(/^[0-9a-f-]{36}$/);
    expect((await contentOf(marked(), 'shop/one')).toString()).toBe('x');
    expect(await keysOf(marked())).toEqual(['shop/one']);
  });

  test('refuses everything while the folder is empty instead of mounted, writes nothing, and goes on when it is back', async () => {
    const running = marked();
    await putText(running, 'shop/one', 'x');
    await unmount();
    for (const storage of [running, marked()]) {
      for (const error of await rejectionsOf(everyCall(storage))) {
        expect(error).toMatchObject({ code: 'storage-unavailable', retryable: true });
      }
    }
    expect(await readdir(root)).toEqual([]);
    await mountAgain();
    for (const storage of [running, marked()]) expect(await keysOf(storage)).toEqual(['shop/one']);
  });

  test('refuses everything while the folder is not there at all, and does not make it', async () => {
    await putText(marked(), 'shop/one', 'x');
    await rename(root, `${root}.disk`);
    for (const error of await rejectionsOf(everyCall(marked()))) {
      expect(error).toMatchObject({ code: 'storage-unavailable', retryable: true });
    }
    expect(await readdir(folder)).not.toContain('backups');
  });

  test('tells the operator what to mount and how to adopt, and is adopted by that', async () => {
    await putText(marked(), 'shop/one', 'x');
    const mark = await markIn();
    await unmount();
    const storage = marked();
    const error = await rejectionOf(storage.stat('shop/one'));
    expect(error).toMatchObject({
      message: expect.stringMatching(/Mount it.*adopt it/) as string,
      facts: { destination: 'local', expected_mark: mark, found_mark: null },
    });
    await writeMark(`${mark}\n`);
    expect(await storage.stat('shop/one')).toBeUndefined();
  });

  test('refuses the disk of another service', async () => {
    const storage = marked();
    await putText(storage, 'shop/one', 'x');
    await writeMark('019aa3f0-0000-7000-8000-000000000000');
    expect(await rejectionOf(storage.delete('shop/one'))).toMatchObject({
      code: 'storage-unavailable',
      facts: { found_mark: '019aa3f0-0000-7000-8000-000000000000' },
    });
    expect(await readdir(join(root, 'shop'))).toEqual(['one']);
  });

  test('refuses an empty mark, and one of gigabytes, without reading it', async () => {
    const storage = marked();
    await putText(storage, 'shop/one', 'x');
    for (const text of ['', 'x'.repeat(1024 * 1024)]) {
      await writeMark(text);
      const error = await rejectionOf(storage.stat('shop/one'));
      expect(error).toMatchObject({ code: 'storage-unavailable' });
      expect(JSON.stringify(error).length).toBeLessThan(2_000);
    }
  });

  test('a new catalog takes over the mark of an old folder', async () => {
    await mkdir(root);
    await writeMark('019aa3f0-0000-7000-8000-000000000000\n');
    await putText(marked(), 'shop/one', 'x');
    expect(await markIn()).toBe('019aa3f0-0000-7000-8000-000000000000');
    await writeMark('019aa3f0-1111-7000-8000-000000000000\n');
    expect(await rejectionOf(marked().stat('shop/one'))).toMatchObject({ code: 'storage-unavailable' });
  });

  test('many first calls at once, of two processes, make one mark', async () => {
    const storages = [marked(), marked(), marked()];
    await Promise.all(
      storages.flatMap((storage, n) => [1, 2].map((m) => putText(storage, `k${n}${m}`, 'x'))),
    );
    expect((await keysOf(storages[0]!)).length).toBe(6);
    expect((await catalog.read.find(DestinationMark)).map(({ mark }) => mark)).toEqual([await markIn()]);
  });

  test('a place that is exchanged during a put keeps nothing of it', async () => {
    const storage = marked();
    await putText(storage, 'shop/one', 'x');
    const bytes = openEndedStream(Buffer.from('half'));
    const put = rejectionOf(storage.put('shop/two', bytes, never));
    await until('the put to write', async () => (await readdir(join(root, 'shop'))).length === 2);
    await rm(join(root, MARK_KEY));
    bytes.end();
    expect(await put).toMatchObject({ code: 'storage-unavailable' });
    expect(await readdir(join(root, 'shop'))).toEqual(['one']);
  });

  test('the mark is no object', async () => {
    const storage = marked();
    await putText(storage, 'shop/one', 'x');
    const calls = [
      storage.get(MARK_KEY),
      storage.stat(MARK_KEY),
      storage.delete(MARK_KEY),
      storage.put(MARK_KEY, streamOf(Buffer.from('x')), never),
    ];
    for (const error of await rejectionsOf(calls))
      expect(error).toMatchObject({ code: 'storage-key-invalid' });
    expect(await keysOf(storage)).toEqual(['shop/one']);
  });

  test('the room on the disk below a mount point is not told', async () => {
    const storage = marked();
    await putText(storage, 'shop/one', 'x');
    expect(await storage.space()).toMatchObject({ freeBytes: expect.any(Number) as number });
    await unmount();
    expect(await storage.space()).toBeUndefined();
  });
});

describe('a destination that was in use before there were marks', () => {
  const witness = 'shop/backup_shop_20261121_031500.dump.zst.manifest.json';
  beforeEach(async () => {
    await catalog.write((tx) =>
      tx.insert(DestinationMark, { destination: 'local', mark: null, witnessKey: witness }),
    );
  });

  test('is marked where its newest archive lies', async () => {
    await mkdir(join(root, 'shop'), { recursive: true });
    await writeFile(join(root, witness), '{}');
    expect(await keysOf(marked())).toEqual([witness]);
    expect(await marked().stat(witness)).toBeDefined();
  });

  test('is not marked where that is missing, until somebody adopts it', async () => {
    await mkdir(root);
    await writeFile(join(root, 'stray'), 'x');
    const error = await rejectionOf(keysOf(marked()));
    expect(error).toMatchObject({ code: 'storage-unavailable' });
    expect(await readdir(root)).toEqual(['stray']);
    await writeMark((error as { facts: { expected_mark: string } }).facts.expected_mark);
    expect(await keysOf(marked())).toEqual(['stray']);
  });
});

/**
 * The same promises as every storage, marked and watched as the service opens it, over a place that bears a mark already, which is not
 * counted among its objects.
 */
async function openAsTheService(): Promise<StorageUnderTest> {
  const place = await openLocal();
  const path = localFolderOf(place);
  const marked = new MarkedStorage(
    place.storage,
    { destination: 'local', place: path },
    new DestinationMarks(catalog),
  );
  return {
    ...place,
    storage: new WatchedStorage(marked, path, { clock: new SystemClock(), limitMs: 600_000 }),
    everything: async () => (await place.everything()).filter((name) => name !== MARK_KEY),
  };
}

const special = { skip: 'asked of the storage below it' };
storageContract('WatchedStorage over MarkedStorage', openAsTheService, { full: special, readOnly: special });
