import { expect, test } from 'vitest';

import { LocalStorage } from './local-storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from './storage-registry.js';
import { StorageDestinationUnknownError } from './storage.errors.js';

const local = new LocalStorage('/nowhere');
const registry = new StorageRegistry(new Map([[LOCAL_DESTINATION, local]]));

test('gives one storage to everybody who asks for a destination', () => {
  expect(registry.open('local')).toBe(local);
  expect(registry.names).toEqual(['local']);
});

test('opens a folder under its path once, where folders can be opened', () => {
  const opened: string[] = [];
  const withFolders = new StorageRegistry(new Map([[LOCAL_DESTINATION, local]]), (path) => {
    opened.push(path);
    return new LocalStorage(path);
  });
  expect(withFolders.open('/mnt/a')).toBe(withFolders.open('/mnt/a'));
  expect(opened).toEqual(['/mnt/a']);
  expect(() => withFolders.open('mnt/a')).toThrow(StorageDestinationUnknownError);
  expect(() => registry.open('/mnt/a')).toThrow(StorageDestinationUnknownError);
});

test('says which destinations there are when it does not know one', () => {
  expect(() => registry.open('moon')).toThrow(StorageDestinationUnknownError);
  expect(() => registry.open('moon')).toThrow(/no destination named "moon". Known: local/);
});
