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

test('says which destinations there are when it does not know one', () => {
  expect(() => registry.open('moon')).toThrow(StorageDestinationUnknownError);
  expect(() => registry.open('moon')).toThrow(/no destination named "moon". Known: local/);
});
