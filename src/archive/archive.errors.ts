import { DomainError } from '../errors/domain-error.js';
import type { ByteFacts } from './metered-digest.js';

/** What of an archive was not as the manifest says. */
export type ArchiveCheck =
  'stored-size' | 'stored-sha256' | 'compression' | 'trailing-data' | 'plain-size' | 'plain-sha256';

/** The archive is not the bytes that were made: cut, changed, or replaced. */
export class ArchiveDamagedError extends DomainError {
  constructor(
    key: string,
    check: ArchiveCheck,
    facts: { expected?: unknown; found?: unknown },
    cause?: unknown,
  ) {
    super({
      code: 'archive-damaged',
      kind: 'unprocessable',
      detail: `The archive "${key}" is damaged: ${SENTENCES[check]}. Nothing can be trusted that came out of it.`,
      facts: { key, check, ...facts },
      cause,
    });
  }
}

const SENTENCES: Record<ArchiveCheck, string> = {
  'stored-size': 'it does not have the size that its manifest names',
  'stored-sha256': 'its SHA-256 is not the one that its manifest names',
  compression: 'its compressed data cannot be read',
  'trailing-data': 'something follows the end of its compressed data',
  'plain-size': 'it does not unpack to the size that its manifest names',
  'plain-sha256': 'it does not unpack to the SHA-256 that its manifest names',
};

/** The destination surely does not hold the archive any more. */
export class ArchiveMissingError extends DomainError {
  constructor(key: string, cause?: unknown) {
    super({
      code: 'archive-missing',
      kind: 'not-found',
      detail: `The archive "${key}" is not at its destination any more. Somebody removed or renamed it.`,
      facts: { key },
      cause,
    });
  }
}

/** Who moved nothing. */
export type StalledSide = 'source' | 'storage';

/** Nothing moved for the time allowed. */
export class ArchiveStalledError extends DomainError {
  constructor(side: StalledSide, facts: { stallMs: number; plainBytes: number; storedBytes: number }) {
    const who = side === 'source' ? 'The dump gave no byte' : 'The storage took no byte';
    super({
      code: 'archive-stalled',
      kind: 'timeout',
      retryable: true,
      detail: `${who} for ${facts.stallMs / 1000} s, after ${facts.plainBytes} bytes of the dump, and was stopped.`,
      facts: { side, ...facts },
    });
  }
}

/** The storage confirmed something else than what it was sent. The object must be removed: it is not the archive. */
export class ArchiveStoreMismatchError extends DomainError {
  constructor(key: string, facts: { sent: Partial<ByteFacts>; confirmed: ByteFacts }) {
    super({
      code: 'archive-store-mismatch',
      kind: 'unavailable',
      retryable: true,
      detail:
        `The destination confirmed something else for "${key}" than the ${facts.sent.sizeBytes} bytes that it was ` +
        "sent. Suspect its medium, the network to it, or this machine's memory.",
      facts: { key, ...facts },
    });
  }
}
