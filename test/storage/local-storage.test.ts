import { execFile } from 'node:child_process';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  rmdir,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { publishByClaim } from '../../src/storage/durable-file.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { claimNameOf, newPartName } from '../../src/storage/storage-parts.ts';
import { storageContract } from '../contracts/storage.contract.ts';
import {
  contentOf,
  keysOf,
  never,
  noise,
  openEndedStream,
  putText,
  rejectionOf,
  rejectionsOf,
  streamOf,
} from '../contracts/storage-under-test.ts';
import { until } from '../support/until.ts';
import { freshFolder, fullPlace, openLocal, readOnlyPlace } from './local-places.ts';

storageContract('LocalStorage', openLocal, { full: await fullPlace(), readOnly: await readOnlyPlace() });

describe('LocalStorage', () => {
  let folder: string;
  let root: string;
  let storage: LocalStorage;

  beforeEach(async () => {
    folder = await freshFolder();
    root = join(folder, 'backups');
    storage = new LocalStorage(root);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('the first put makes the folder, private like everything in it', async () => {
    storage = new LocalStorage(join(root, 'of', 'mine'));
    await putText(storage, 'shop/one', 'x');
    for (const each of ['', 'of', 'of/mine', 'of/mine/shop']) {
      expect((await stat(join(root, each))).mode & 0o777).toBe(0o700);
    }
    expect((await stat(join(root, 'of/mine/shop/one'))).mode & 0o777).toBe(0o600);
  });

  test('an object is an ordinary file under its key, with one name', async () => {
    await putText(storage, 'shop/one.dump', 'plain to see');
    expect(await readFile(join(root, 'shop/one.dump'), 'utf8')).toBe('plain to see');
    expect((await stat(join(root, 'shop/one.dump'))).nlink).toBe(1);
    expect(await readdir(join(root, 'shop'))).toEqual(['one.dump']);
  });

  test('the folder itself may be a symbolic link', async () => {
    await mkdir(join(folder, 'disk'));
    await symlink(join(folder, 'disk'), root);
    await putText(storage, 'shop/one', 'x');
    expect(await keysOf(storage)).toEqual(['shop/one']);
    expect((await contentOf(storage, 'shop/one')).toString()).toBe('x');
    await storage.delete('shop/one');
    expect(await readdir(join(folder, 'disk'))).toEqual([]);
  });

  test('deleting the last object takes its folders, but neither the root nor what others put there', async () => {
    await putText(storage, 'shop/2026/one', 'x');
    await writeFile(join(root, 'shop', 'README'), 'mine');
    await storage.delete('shop/2026/one');
    expect(await readdir(root, { recursive: true })).toEqual(['shop', 'shop/README']);
    await storage.delete('shop/README');
    expect(await readdir(root)).toEqual([]);
  });

  test('a put makes its folder again when somebody removes it, finding it empty', async () => {
    await putText(storage, 'keep', 'x');
    const state = { isOver: false, removals: 0, total: 0 };
    const remove = async (): Promise<void> => {
      while (!state.isOver) {
        const isRemoved = await rmdir(join(root, 'shop')).then(
          () => true,
          () => false,
        );
        if (isRemoved) state.total += 1;
        // Not for ever: two that take turns in lock-step would never get on.
        if (isRemoved) await until('the next put', () => state.isOver || state.removals++ < 3);
      }
    };
    const removing = remove();
    try {
      for (let turn = 0; turn < 50; turn += 1) {
        state.removals = 0;
        await putText(storage, 'shop/one', 'x');
        await storage.delete('shop/one');
      }
    } finally {
      state.isOver = true;
      await removing;
    }
    expect(state.total).toBeGreaterThan(0);
  });

  test('an object cannot be the folder of another one', async () => {
    await putText(storage, 'shop', 'x');
    const error = await rejectionOf(storage.put('shop/one', streamOf(noise(10)), never));
    expect(error).toMatchObject({ code: 'storage-key-invalid' });
    expect(await storage.stat('shop/one')).toBeUndefined();
    expect(await readdir(root)).toEqual(['shop']);
  });

  test('named pipes are no objects, and nobody waits for them', async () => {
    await putText(storage, 'one', 'x');
    await promisify(execFile)('mkfifo', [join(root, 'pipe')]);
    expect(await storage.stat('pipe')).toBeUndefined();
    expect(await rejectionOf(storage.get('pipe'))).toMatchObject({ code: 'storage-object-missing' });
    expect(await keysOf(storage)).toEqual(['one']);
  });

  test('files whose names no key can have are passed over', async () => {
    await putText(storage, 'one', 'x');
    await writeFile(join(root, 'back\\slash'), 'x');
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
    expect(await keysOf(storage)).toEqual(['one']);
  });

  test('space is that of the file system where the folder is, or will be', async () => {
    const { blocks, bsize } = await statfs(folder);
    expect(await new LocalStorage(join(root, 'not/yet/there')).space()).toMatchObject({
      totalBytes: blocks * bsize,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('in a folder that was never made every name is free; other calls say that it is not there', async () => {
    expect(await storage.stat('shop/one')).toBeUndefined();
    const calls = [storage.get('shop/one'), storage.delete('shop/one'), keysOf(storage)];
    for (const error of await rejectionsOf(calls)) {
      expect(error).toMatchObject({ code: 'storage-unavailable', retryable: true });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('the sweep at start makes the folder, so that reading before the first put finds nothing', async () => {
    expect(await storage.sweep()).toBe(0);
    expect(await storage.stat('one')).toBeUndefined();
    expect(await keysOf(storage)).toEqual([]);
  });

  test.each(['put', 'get', 'list', 'stat'])('a file in the place of the folder: %s says so', async (call) => {
    await writeFile(root, 'in the way');
    const calls: Record<string, () => Promise<unknown>> = {
      put: () => putText(storage, 'one', 'x'),
      get: () => storage.get('one'),
      list: () => keysOf(storage),
      stat: () => storage.stat('one'),
    };
    expect(await rejectionOf(calls[call]?.() ?? Promise.resolve())).toMatchObject({
      code: 'storage-unavailable',
    });
  });

  test('sweep removes the part of a storage that is no more, and that put fails, retryable', async () => {
    const dead = new LocalStorage(root);
    const source = openEndedStream(noise(10));
    const putting = dead.put('shop/one', source, never);
    await until('bytes arrive', () => source.readableLength === 0);
    expect(await readdir(join(root, 'shop'))).toHaveLength(1);
    expect(await storage.sweep()).toBe(1);
    expect(await readdir(root)).toEqual([]);
    source.end();
    expect(await rejectionOf(putting)).toMatchObject({ code: 'storage-unavailable', retryable: true });
    expect(await readdir(root)).toEqual([]);
  });

  test('sweep spares what may be the put of another process, and takes parts of single keys', async () => {
    const other = new LocalStorage(root);
    const [one, two] = [openEndedStream(noise(10)), openEndedStream(noise(10))];
    const puts = [other.put('db/one', one, never), other.put('db/two', two, never)];
    await until('bytes arrive', () => one.readableLength + two.readableLength === 0);
    const [past, future] = [new Date(0), new Date('2100-01-01')];
    const sparing = (writtenSince: Date, keys: string[]) => ({
      sparing: { writtenSince, keys: async () => Promise.resolve(keys) },
    });
    expect(await storage.sweep(sparing(past, []))).toBe(0);
    expect(await storage.sweep(sparing(future, ['db/one', 'db/two']))).toBe(0);
    expect(await storage.sweep({ of: ['db/three', 'one', 'two', 'other/one'] })).toBe(0);
    expect(await storage.sweep(sparing(future, ['db/two', 'other/one', 'one']))).toBe(1);
    expect(await storage.sweep({ of: ['db/two'] })).toBe(1);
    one.end();
    two.end();
    const refusal = { code: 'storage-unavailable', retryable: true };
    expect(await rejectionsOf(puts)).toMatchObject([refusal, refusal]);
  });

  test('sweep of single keys does not follow a link out of the place', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    const part = newPartName('one');
    await writeFile(join(outside, part), 'x');
    await mkdir(root, { recursive: true });
    await symlink(outside, join(root, 'db'));
    expect(await rejectionOf(storage.sweep({ of: ['db/one'] }))).toMatchObject({
      code: 'storage-key-invalid',
    });
    expect(await readdir(outside)).toEqual([part]);
  });

  test('sweep takes nothing that only looks similar', async () => {
    await mkdir(join(root, 'shop'), { recursive: true });
    const names = ['.backstop-notes', 'one.partial', '.one.partial', '.backstop-1.partial'];
    for (const name of names) await writeFile(join(root, 'shop', name), 'x');
    expect(await storage.sweep()).toBe(0);
    expect((await readdir(join(root, 'shop'))).sort()).toEqual([...names].sort());
  });

  test('no call leaves a file open', async () => {
    await storage.put('shop/big', streamOf(noise(2_000_000)), never);
    const before = await openFilesBelow(root);
    const calls = [
      storage.get('shop/big').then((stream) => stream.toArray()),
      storage.get('shop/big').then((stream) => stream.destroy()),
      storage
        .get('shop/big', { start: 1 })
        .then((stream) => stream.once('data', () => stream.destroy()).resume()),
      storage.get('shop/big', { start: 2_000_000 }),
      storage.put('shop/big', streamOf(noise(10)), never),
      storage.put('shop/two', streamOf(noise(10)), AbortSignal.abort()),
      storage.put('shop/three', openEndedStream(noise(10)).destroy(new Error('died')), never),
    ];
    await Promise.allSettled(calls);
    expect(before).toEqual([]);
    await until('every file is closed', async () => (await openFilesBelow(root)).length === 0);
  });
});

describe('publishing without hard links', () => {
  test('of many parts for one name exactly one gets it, and no claim stays', async () => {
    const folder = await freshFolder();
    const path = join(folder, 'object');
    const claim = join(folder, claimNameOf('object'));
    const parts = Array.from({ length: 30 }, (_, index) => join(folder, `part-${index}`));
    for (const part of parts) await writeFile(part, part);
    const results = await Promise.allSettled(parts.map((part) => publishByClaim(part, path, claim)));
    const winners = parts.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(winners).toEqual([await readFile(path, 'utf8')]);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'EEXIST' });
    }
    expect(await rejectionOf(publishByClaim(parts[0] ?? '', path, claim))).toMatchObject({ code: 'EEXIST' });
    expect(winners).toEqual([await readFile(path, 'utf8')]);
    const left = parts.filter((part) => !winners.includes(part)).map((part) => part.slice(folder.length + 1));
    expect((await readdir(folder)).sort()).toEqual([...left, 'object'].sort());
    await rm(folder, { recursive: true });
  });

  test('sweep removes a claim that a dead process left', async () => {
    const folder = await freshFolder();
    await writeFile(join(folder, claimNameOf('object')), '');
    expect(await new LocalStorage(folder).sweep()).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});

/** Paths below `folder` that this process holds open (Linux tells). */
async function openFilesBelow(folder: string): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  const paths = await Promise.all(numbers.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(folder));
}
