import { EngineError } from '../engines.errors.js';
import { driver } from './mongo-driver.js';

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

/** Codes of the server (`error_codes.yml` of MongoDB's sources). */
const SNAPSHOT_CODES = new Set<unknown>([239, 246]); // SnapshotTooOld, SnapshotUnavailable
const GONE_CODES = new Set<unknown>([26, 43, 175]); // NamespaceNotFound, CursorNotFound, QueryPlanKilled

/** What a server says when what is read is gone, as an error with a name of its own; any other error as it is. Pure. */
export function readServerError(error: unknown, namespace: string): unknown {
  if (!(error instanceof driver().MongoServerError)) return error;
  if (SNAPSHOT_CODES.has(error.code)) return new HistoryTooShortError(namespace, error);
  if (!GONE_CODES.has(error.code)) return error;
  return new CollectionsChangedError(namespace, 'was dropped or renamed, or its cursor was ended,', error);
}
