import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { LocalStorage } from '../../src/storage/local-storage.ts';
import type { SpecialPlace, StorageUnderTest } from '../contracts/storage-under-test.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

/** A fresh folder that the test may do anything with. */
export async function freshFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'backstop-storage-'));
}

/** A storage over a fresh empty folder on the machine's disk for temporary files. */
export async function openLocal(): Promise<StorageUnderTest> {
  const folder = await freshFolder();
  const root = join(folder, 'backups');
  await mkdir(root);
  return underTest(root, async () => {
    // `lose` has perhaps moved it.
    await rm(folder, { recursive: true, force: true });
  });
}

/** A file system of 2 MiB of its own; needs the right to mount. */
export async function fullPlace(): Promise<SpecialPlace> {
  const reason = await whyNoMount();
  if (reason !== undefined) return { skip: `a full disk cannot be made: ${reason}` };
  return { open: () => openMounted('size=2m,mode=0700', async () => undefined) };
}

/** A file system that is mounted read-only; for ordinary users a folder without the right to write. */
export async function readOnlyPlace(): Promise<SpecialPlace> {
  if (!isRoot) return { open: openForbidden };
  const reason = await whyNoMount();
  if (reason !== undefined)
    return { skip: `root may write everywhere, and a read-only mount failed: ${reason}` };
  return {
    open: () =>
      openMounted('size=1m,mode=0700', async (root) => {
        await writeFile(join(root, 'old'), 'x');
        await run('mount', ['-o', 'remount,ro', root]);
      }),
  };
}

async function whyNoMount(): Promise<string | undefined> {
  if (!isRoot) return 'mounting needs root';
  try {
    const place = await openMounted('size=1m', async () => undefined);
    await place.dispose();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}

async function openMounted(
  options: string,
  prepare: (root: string) => Promise<void>,
): Promise<StorageUnderTest> {
  const root = await freshFolder();
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', root]);
  const dispose = async (): Promise<void> => {
    await run('umount', [root]);
    await rm(root, { recursive: true });
  };
  try {
    await prepare(root);
  } catch (error) {
    await dispose();
    throw error;
  }
  return underTest(root, dispose);
}

async function openForbidden(): Promise<StorageUnderTest> {
  const root = await freshFolder();
  await writeFile(join(root, 'old'), 'x');
  await chmod(root, 0o500);
  return underTest(root, async () => {
    await chmod(root, 0o700);
    await rm(root, { recursive: true });
  });
}

/** Where the files of a place made here lie. */
export function localFolderOf(place: StorageUnderTest): string {
  const root = folders.get(place);
  if (root === undefined) throw new Error('That place is not a local one');
  return root;
}

const folders = new WeakMap<StorageUnderTest, string>();

function underTest(root: string, dispose: () => Promise<void>): StorageUnderTest {
  const place: StorageUnderTest = {
    storage: new LocalStorage(root),
    dispose,
    everything: () => readdir(root, { recursive: true }),
    truncate: (key, sizeBytes) => truncate(join(root, key), sizeBytes),
    lose: () => rename(root, `${root}.lost`),
    plantLink: async (key) => {
      const outside = join(dirname(root), 'outside');
      await mkdir(outside);
      await writeFile(join(outside, 'secret'), 'not for us');
      await symlink(outside, join(root, key));
      return { outside: () => readdir(outside) };
    },
  };
  folders.set(place, root);
  return place;
}
