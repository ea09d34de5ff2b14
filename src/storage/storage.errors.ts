import { DomainError, type ProblemFacts } from '../errors/domain-error.js';

/** S7: the key could leave the driver's place, or no medium could hold it. */
export class StorageKeyInvalidError extends DomainError {
  constructor(key: string, because: string) {
    super({
      code: 'storage-key-invalid',
      kind: 'invalid',
      detail: `The storage key ${JSON.stringify(key)} is refused: ${because}.`,
      facts: { key },
    });
  }
}

/** S3: an object of that key is already there and stays as it is. */
export class StorageKeyExistsError extends DomainError {
  /** The key that somebody else's object has. */
  readonly key: string;

  constructor(key: string, cause?: unknown) {
    super({
      code: 'storage-key-exists',
      kind: 'conflict',
      detail: `An object named "${key}" is already stored. It was left as it is, and nothing was written.`,
      facts: { key },
      cause,
    });
    this.key = key;
  }
}

export class StorageObjectMissingError extends DomainError {
  constructor(key: string, cause?: unknown) {
    super({
      code: 'storage-object-missing',
      kind: 'not-found',
      detail: `No object named "${key}" is stored.`,
      facts: { key },
      cause,
    });
  }
}

export class StorageRangeInvalidError extends DomainError {
  constructor(key: string, facts: { start: number; end?: number; sizeBytes: number }) {
    super({
      code: 'storage-range-invalid',
      kind: 'range',
      detail:
        `The byte range ${facts.start}-${facts.end ?? ''} cannot be read from "${key}", ` +
        `which holds ${facts.sizeBytes} bytes.`,
      facts: { key, ...facts },
    });
  }
}

/** No room is left, or the quota is used up. May pass: retention, or a person, frees some. */
export class StorageFullError extends DomainError {
  constructor(place: string, facts: ProblemFacts, cause: unknown) {
    super({
      code: 'storage-full',
      kind: 'unavailable',
      retryable: true,
      detail: `No room is left at ${place}. What had been written of the object was removed. Free some space.`,
      facts,
      cause,
    });
  }
}

/** A right is missing, or the medium is read-only: stays so until a person changes it. */
export class StorageNotWritableError extends DomainError {
  constructor(place: string, facts: ProblemFacts, cause: unknown) {
    super({
      code: 'storage-not-writable',
      kind: 'unprocessable',
      detail: `Backstop may not write at ${place}. Give its user the right to write there, or mount it writable.`,
      facts,
      cause,
    });
  }
}

/** The medium takes no file of that size, and will not next time. */
export class StorageFileTooLargeError extends DomainError {
  constructor(place: string, facts: ProblemFacts, cause: unknown) {
    super({
      code: 'storage-file-too-large',
      kind: 'unprocessable',
      detail:
        `The file system of ${place}, or a limit of the process (ulimit -f), takes no file as large as this archive. ` +
        'What had been written of it was removed.',
      facts,
      cause,
    });
  }
}

export class StorageNotReadableError extends DomainError {
  constructor(place: string, facts: ProblemFacts, cause: unknown) {
    super({
      code: 'storage-not-readable',
      kind: 'unprocessable',
      detail: `Backstop may not read at ${place}. Give its user the right to read there.`,
      facts,
      cause,
    });
  }
}

/** The medium failed in another way (I/O error, lost mount, missing folder). May pass. */
export class StorageUnavailableError extends DomainError {
  constructor(place: string, because: string, facts: ProblemFacts, cause?: unknown) {
    super({
      code: 'storage-unavailable',
      kind: 'unavailable',
      retryable: true,
      detail: `The storage at ${place} does not work: ${because}.`,
      facts,
      cause,
    });
  }
}

/** S6: an object ended before the bytes that it had when it was opened. */
export class StorageShortReadError extends DomainError {
  constructor(key: string, facts: { expectedBytes: number; readBytes: number }) {
    super({
      code: 'storage-short-read',
      kind: 'unavailable',
      retryable: true,
      detail:
        `"${key}" ended after ${facts.readBytes} of ${facts.expectedBytes} bytes: ` +
        'it was cut while being read, or its medium is failing.',
      facts: { key, ...facts },
    });
  }
}

export class StorageDestinationUnknownError extends DomainError {
  constructor(destination: string, known: readonly string[]) {
    super({
      code: 'storage-destination-unknown',
      kind: 'unprocessable',
      detail: `There is no destination named "${destination}". Known: ${known.join(', ')}.`,
      facts: { destination, known },
    });
  }
}

/** A folder that a request chose for its backup may not be used. */
export class BackupFolderRefusedError extends DomainError {
  constructor(folder: string, because: string) {
    super({
      code: 'backup-dir-refused',
      kind: 'invalid',
      detail: `The folder ${JSON.stringify(folder)} is refused as backup_dir: ${because}. Nothing was begun.`,
      facts: { backup_dir: folder },
    });
  }
}
