/**
 * What went wrong, in the words of the domain. Services and drivers throw these; one HTTP filter turns them into
 * RFC 9457 problems (`kind` chooses the status), the work loops turn them into a failed row. Nothing below the
 * HTTP room knows a status code.
 */
export const PROBLEM_KINDS = [
  'invalid', // 400: the request is wrong and will stay wrong
  'not-found', // 404
  'conflict', // 409: the state of a record forbids it now
  'unprocessable', // 422: well-formed, but it cannot work (wrong password, missing right, damaged archive)
  'range', // 416: a byte range that the archive does not have
  'unavailable', // 503: something that we need does not answer
  'timeout', // 504: it did not end in the time allowed
  'internal', // 500: our fault; only the request id is shown
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** Small, JSON-safe details of a problem that a program can use (ids, names, versions). Never a secret. */
export type ProblemFacts = Readonly<Record<string, unknown>>;

export interface DomainErrorOptions {
  /** Stable kebab-case word; each has a page `docs/problems/<code>.md`. */
  code: string;
  kind: ProblemKind;
  /** A sentence for the operator at 3 a.m.: what happened, to what, and what to do. */
  detail: string;
  /** Whether the same request may succeed later without anybody changing anything. Default false. */
  retryable?: boolean;
  facts?: ProblemFacts;
  cause?: unknown;
}

/** Root of every expected error. Rooms declare their own in `<room>.errors.ts`, one class per code. */
export class DomainError extends Error {
  readonly code: string;
  readonly kind: ProblemKind;
  readonly retryable: boolean;
  readonly facts: ProblemFacts;

  constructor(options: DomainErrorOptions) {
    super(options.detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.kind = options.kind;
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}
