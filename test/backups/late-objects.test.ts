import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { newPartName } from '../../src/storage/storage-parts.ts';
import { freshRoom, insertBackup, insertCopy } from './room.ts';

test('what was stored too late for a discarded copy goes, the part of it too, and nothing else', async () => {
  await using room = await freshRoom();
  const backup = await insertBackup(room, { status: 'completed' });
  const keys = ['shop/late.dump', 'shop/late.dump.manifest.json'];
  const copy = await insertCopy(room, backup, { state: 'discarded', key: keys[0]!, keys });
  const other = newPartName('good.dump');
  await mkdir(join(room.folder, 'shop'), { recursive: true });
  for (const name of ['late.dump', newPartName('late.dump'), 'good.dump', other]) {
    await writeFile(join(room.folder, 'shop', name), 'x');
  }
  await room.cleaner.removeLate(copy);
  expect(await room.files()).toEqual([other, 'good.dump'].toSorted());
});
