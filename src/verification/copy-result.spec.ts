import { describe, expect, test } from 'vitest';

import { ArchiveDamagedError, ArchiveMissingError } from '../archive/archive.errors.js';
import { ManifestInvalidError, ManifestUnknownVersionError } from '../archive/manifest.errors.js';
import { ArchiveMismatchError, ManifestChangedError } from '../backups/backups.errors.js';
import { ArchiveForeignError, ArchiveUnreadableError } from '../engines/tools.errors.js';
import { ToolFailedError } from '../process/process.errors.js';
import { ShuttingDownError } from '../queue/queue.errors.js';
import {
  StorageDestinationUnknownError,
  StorageNotReadableError,
  StorageObjectMissingError,
  StorageShortReadError,
  StorageUnavailableError,
} from '../storage/storage.errors.js';
import { type CopyResult, levelReachedBy, outcomeOf, outcomeOfError, worstOf } from './copy-result.js';
import type { Outcome, ScratchlessLevel } from './verification-states.js';
import {
  VerificationCancelledError,
  VerificationDiffersError,
  VerificationStalledError,
  VerificationWorkerLostError,
} from './verification.errors.js';

const copy = (outcome: Outcome, level: ScratchlessLevel | null, destination = 'local'): CopyResult => ({
  destination,
  key: 'k',
  outcome,
  level,
  error: null,
});

describe('what an error says of the copy', () => {
  test.each([
    new ArchiveDamagedError('k', 'stored-sha256', {}),
    new ArchiveMissingError('k'),
    new StorageObjectMissingError('k'),
    new ManifestChangedError('b', 'because'),
    new ManifestInvalidError('because'),
    new ArchiveMismatchError('b', { field: 'engine', catalog: 'x', manifest: 'y' }),
    new ArchiveUnreadableError('because'),
    new ArchiveForeignError('a dump', 'something else'),
    new VerificationDiffersError('b', { missing: ['t'], plainBytes: { expected: 1, found: 1 } }),
  ])('failed: $code', (error) => {
    expect(outcomeOfError(error)).toBe('failed');
  });

  test.each([
    new StorageUnavailableError('here', 'because', {}),
    new StorageNotReadableError('here', {}, undefined),
    new StorageShortReadError('k', { expectedBytes: 2, readBytes: 1 }),
    new StorageDestinationUnknownError('there', ['local']),
    new ManifestUnknownVersionError(99, 1),
    new ToolFailedError('pg_restore', { code: null, signal: 'SIGKILL', stderr: '' }),
    new VerificationStalledError('v', 600),
    new VerificationCancelledError('v'),
    new VerificationWorkerLostError(3),
    new ShuttingDownError(),
    new Error('anything else'),
    undefined,
  ])('unknown: %s', (error) => {
    expect(outcomeOfError(error)).toBe('unknown');
  });
});

describe('what all copies together show', () => {
  test.each([
    ['nothing yet while it waits', 'queued', [], null],
    ['nothing yet while it runs', 'running', [copy('failed', null)], null],
    ['passed', 'completed', [copy('passed', 'intact')], 'passed'],
    ['failed with one bad copy', 'failed', [copy('passed', 'intact'), copy('failed', null)], 'failed'],
    [
      'unknown when one was not looked at',
      'failed',
      [copy('passed', 'intact'), copy('unknown', null)],
      'unknown',
    ],
    ['unknown when its worker was lost', 'failed', [], 'unknown'],
    ['unknown when it was cancelled', 'cancelled', [], 'unknown'],
  ] as const)('%s', (_, status, copies, outcome) => {
    expect(outcomeOf({ status, copies })).toBe(outcome);
  });

  test.each([
    [[], null],
    [[copy('passed', 'readable')], 'readable'],
    [[copy('passed', 'readable'), copy('failed', 'intact')], 'intact'],
    [[copy('passed', 'readable'), copy('unknown', null)], null],
  ] as const)('%j reach %s', (copies, level) => {
    expect(levelReachedBy(copies)).toBe(level);
  });

  test('what is wrong comes before what could not be looked at', () => {
    const copies = [copy('passed', 'intact'), copy('unknown', null, 'away'), copy('failed', null, 'bad')];
    expect(worstOf(copies)?.destination).toBe('bad');
    expect(worstOf(copies.slice(0, 2))?.destination).toBe('away');
    expect(worstOf(copies.slice(0, 1))).toBeUndefined();
  });
});
