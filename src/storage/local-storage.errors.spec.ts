import { describe, expect, test } from 'vitest';

import { isAbsence, toStorageError } from './local-storage.errors.js';
import { StorageKeyExistsError } from './storage.errors.js';

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: as the system says`), { code });
}

describe('toStorageError', () => {
  test.each([
    ['write', 'ENOSPC', 'storage-full', true],
    ['write', 'EDQUOT', 'storage-full', true],
    ['write', 'EACCES', 'storage-not-writable', false],
    ['write', 'EPERM', 'storage-not-writable', false],
    ['write', 'EROFS', 'storage-not-writable', false],
    ['write', 'EFBIG', 'storage-file-too-large', false],
    ['read', 'EACCES', 'storage-not-readable', false],
    ['write', 'ENAMETOOLONG', 'storage-key-invalid', false],
    ['read', 'EIO', 'storage-unavailable', true],
    ['write', 'EMFILE', 'storage-unavailable', true],
    ['read', 'ESTALE', 'storage-unavailable', true],
  ] as const)('%s: %s is %s (retryable: %s)', (doing, system, code, retryable) => {
    const cause = errno(system);
    const error = toStorageError(cause, { doing, root: '/backups', key: 'shop/one' });
    expect(error).toMatchObject({ code, retryable, facts: { key: 'shop/one' } });
    if (code !== 'storage-key-invalid') {
      expect(error).toMatchObject({ cause, facts: { folder: '/backups', errno: system } });
    }
  });

  test('leaves an error of a room as it is', () => {
    const error = new StorageKeyExistsError('shop/one');
    expect(toStorageError(error, { doing: 'write', root: '/backups' })).toBe(error);
  });

  test('keeps the words of what it does not know', () => {
    expect(toStorageError('odd', { doing: 'read', root: '/backups' })).toMatchObject({
      code: 'storage-unavailable',
      message: 'The storage at the folder /backups does not work: odd.',
    });
  });
});

test.each([
  ['ENOENT', true],
  ['ENOTDIR', true],
  ['EACCES', false],
])('%s means absent: %s', (code, expected) => {
  expect(isAbsence(errno(code))).toBe(expected);
});
