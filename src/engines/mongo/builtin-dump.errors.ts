import { EngineError } from '../engines.errors.js';

/** The server forgot the moment that a snapshot is of before everything was read. */
export class HistoryTooShortError extends EngineError {
  constructor(namespace: string, cause: unknown) {
    super({
      code: 'history-too-short',
      kind: 'unprocessable',
      retryable: true,
      detail:
        `while ${namespace} was read, the server forgot the moment that this dump is of; let it remember longer than a dump takes ` +
        '(minSnapshotHistoryWindowInSeconds, 300 unless set)',
      facts: { namespace },
      cause,
    });
  }
}

/** A collection was dropped or renamed while it was to be read, and no snapshot holds it. */
export class CollectionsChangedError extends EngineError {
  constructor(namespace: string, reason: string, cause?: unknown) {
    super({
      code: 'collections-changed',
      kind: 'unprocessable',
      retryable: true,
      detail: `collection ${namespace} ${reason} while the dump was made`,
      facts: { namespace },
      cause,
    });
  }
}
