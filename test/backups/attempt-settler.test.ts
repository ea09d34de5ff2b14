import { readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { AttemptSettler } from '../../src/backups/attempt-settler.ts';
import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupCancelledError } from '../../src/backups/backups.errors.ts';
import { ManifestUnknownVersionError } from '../../src/archive/manifest.errors.ts';
import { freshRoom, insertBackup, insertCopy, type Room, storeArchive, storeObject } from './room.ts';

const { signal } = new AbortController();
let room: Room;
let settler: AttemptSettler;
beforeEach(async () => {
  room = await freshRoom();
  settler = new AttemptSettler(room.catalog, room.storages, room.cleaner);
});
afterEach(() => room[Symbol.asyncDispose]());

async function stateOf({ id }: BackupCopy): Promise<string> {
  return (await room.catalog.read.findOneByOrFail(BackupCopy, { id })).state;
}

describe('settling what a dead process left', () => {
  test('gives the attempt that is whole, and leaves it alone', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    await storeArchive(room, copy);
    expect((await settler.settle(backup.id, signal))?.copy.id).toBe(copy.id);
    expect(await stateOf(copy)).toBe('writing');
    expect(await room.files()).toHaveLength(2);
  });

  test('removes an archive without a manifest', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    await storeObject(room, copy.key, 'half a dump');
    expect(await settler.settle(backup.id, signal)).toBeUndefined();
    expect(await stateOf(copy)).toBe('discarded');
    expect(await room.storage.stat(copy.key)).toBeUndefined();
  });

  test('never removes an archive whose manifest a newer Backstop has written', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    await storeArchive(room, copy);
    const path = join(room.folder, copy.manifestKey);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"format_version": 1', '"format_version": 2'));
    await expect(settler.settle(backup.id, signal)).rejects.toBeInstanceOf(ManifestUnknownVersionError);
    expect(await stateOf(copy)).toBe('writing');
    expect(await room.files()).toHaveLength(2);
  });

  test('takes an abort for no proof of damage', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    await storeArchive(room, copy);
    const reason = new BackupCancelledError(backup.id);
    await expect(settler.settle(backup.id, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await stateOf(copy)).toBe('writing');
    expect(await room.files()).toHaveLength(2);
  });

  test('goes on when garbage cannot be removed now, and leaves it named for the sweeper', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup, { state: 'discarding' });
    await storeObject(room, copy.key, 'half a dump');
    // The storage refuses to touch what lies behind a symbolic link.
    await rename(join(room.folder, 'shop'), join(room.folder, 'elsewhere'));
    await symlink('elsewhere', join(room.folder, 'shop'));
    expect(await settler.settle(backup.id, signal)).toBeUndefined();
    expect(await stateOf(copy)).toBe('discarding');
    expect(await room.files()).toHaveLength(1);
  });
});
