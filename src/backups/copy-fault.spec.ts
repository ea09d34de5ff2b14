import { describe, expect, it } from 'vitest';

import { ArchiveDamagedError, ArchiveMissingError } from '../archive/archive.errors.js';
import { ManifestInvalidError, ManifestUnknownVersionError } from '../archive/manifest.errors.js';
import {
  StorageNotReadableError,
  StorageObjectMissingError,
  StorageShortReadError,
  StorageUnavailableError,
} from '../storage/storage.errors.js';
import { ManifestChangedError } from './backups.errors.js';
import { faultOf } from './copy-fault.js';

describe('faultOf', () => {
  it.each([
    ['damaged', new ArchiveDamagedError('k', 'stored-sha256', {})],
    ['damaged', new ManifestChangedError('b', 'because')],
    ['damaged', new ManifestInvalidError('because')],
    ['missing', new ArchiveMissingError('k')],
    ['missing', new StorageObjectMissingError('k')],
  ])('calls a copy %s that was read with %s', (state, error) => {
    expect(faultOf(error)).toBe(state);
  });

  it.each([
    new StorageUnavailableError('here', 'because', {}),
    new StorageNotReadableError('here', {}, undefined),
    new StorageShortReadError('k', { expectedBytes: 2, readBytes: 1 }),
    new ManifestUnknownVersionError(99, 1),
    new Error('anything else'),
    undefined,
  ])('says nothing against a copy that was read with %s', (error) => {
    expect(faultOf(error)).toBeUndefined();
  });
});
