import { Readable } from 'node:stream';

import { expect, test } from 'vitest';

import { openObject, readObject } from '../../src/storage/open-object.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { never, rejectionOf } from '../contracts/storage-under-test.ts';

/** A storage that opens its only object when it is told to. */
function slowStorage(): { storage: Storage; open: (bytes: Readable) => void } {
  const opening = Promise.withResolvers<Readable>();
  return { storage: { get: () => opening.promise } as unknown as Storage, open: opening.resolve };
}

test('whoever does not want an object any more does not wait for it, and it is closed when it comes', async () => {
  const { storage, open } = slowStorage();
  const abort = new AbortController();
  const failure = rejectionOf(openObject(storage, 'shop/one', abort.signal));
  abort.abort(new Error('not wanted any more'));
  expect(await failure).toMatchObject({ message: 'not wanted any more' });
  const late = Readable.from(['late']);
  open(late);
  await expect.poll(() => late.destroyed).toBe(true);
});

test('an object is not even opened for somebody who has gone', async () => {
  const storage = { get: () => expect.fail('it was opened') } as unknown as Storage;
  const gone = AbortSignal.abort(new Error('gone'));
  expect(await rejectionOf(openObject(storage, 'shop/one', gone))).toMatchObject({ message: 'gone' });
});

test('a small object is read whole, until somebody does not want it any more', async () => {
  const { storage, open } = slowStorage();
  open(Readable.from([Buffer.from('one'), Buffer.from(' and two')]));
  expect(String(await readObject(storage, 'shop/one', never))).toBe('one and two');

  const hanging = slowStorage();
  hanging.open(new Readable({ read: () => undefined }));
  const abort = new AbortController();
  const failure = rejectionOf(readObject(hanging.storage, 'shop/one', abort.signal));
  abort.abort(new Error('not wanted any more'));
  expect(await failure).toMatchObject({ message: 'not wanted any more' });
});
