import { DomainError, type DomainErrorOptions } from '../errors/domain-error.js';

/** One field of a request that is wrong. */
export interface FieldProblem {
  /** JSON pointer (RFC 6901) into the body; for a query or path parameter, `/` and its name; empty for the request as a whole. */
  pointer: string;
  detail: string;
}

/** A request that HTTP itself refuses, before any room sees it; these know their status. */
export abstract class TransportError extends DomainError {
  constructor(
    readonly status: number,
    options: DomainErrorOptions,
  ) {
    super(options);
  }
}

/** The request names another host than this service may be asked under. */
export class HostNotAllowedError extends TransportError {
  constructor(host: string) {
    super(421, {
      code: 'host-not-allowed',
      kind: 'invalid',
      detail: `Backstop may not be asked under the name ${JSON.stringify(host)}. If that is its name, say so: ALLOWED_HOSTS.`,
      facts: { host },
    });
  }
}

/** So many wrong fields are told of in the sentence; `errors` has all of them. */
const MOST_TOLD = 10;

/** Fields are missing, wrong or unknown; `errors` names each. */
export class InvalidRequestError extends DomainError {
  constructor(readonly errors: readonly FieldProblem[]) {
    const told = errors.slice(0, MOST_TOLD).map(({ pointer, detail }) => `${pointer} ${detail}`.trimStart());
    const more = errors.length > MOST_TOLD ? `; and ${errors.length - MOST_TOLD} more` : '';
    super({ code: 'invalid-request', kind: 'invalid', detail: told.join('; ') + more });
  }
}

/** The `cursor` of a list was not made by us. */
export class InvalidCursorError extends DomainError {
  constructor(cause?: unknown) {
    super({
      code: 'invalid-cursor',
      kind: 'invalid',
      detail: 'the cursor is not one that this list gave; begin again without it',
      cause,
    });
  }
}

/** The body is no JSON. */
export class InvalidJsonError extends DomainError {
  constructor(reason: string) {
    super({ code: 'invalid-json', kind: 'invalid', detail: `the body is not valid JSON: ${reason}` });
  }
}

/** A problem's page was asked for that does not exist. */
export class ProblemPageNotFoundError extends DomainError {
  constructor(code: string) {
    super({
      code: 'problem-page-not-found',
      kind: 'not-found',
      detail: `Backstop has no problem with the code "${code}"`,
    });
  }
}

/** No operation has this method and path. */
export class RouteNotFoundError extends DomainError {
  constructor(method: string, path: string) {
    super({
      code: 'route-not-found',
      kind: 'not-found',
      detail: `there is no ${method} ${path}; /docs lists what there is`,
    });
  }
}

/** The path is known, but not with this method. */
export class MethodNotAllowedError extends TransportError {
  constructor(
    method: string,
    path: string,
    readonly allowed: readonly string[],
  ) {
    super(405, {
      code: 'method-not-allowed',
      kind: 'invalid',
      detail: `there is no ${method} ${path}; it takes ${allowed.join(', ')}`,
      facts: { allowed: [...allowed] },
    });
  }
}

/** The body is larger than any request needs. */
export class BodyTooLargeError extends TransportError {
  constructor(limitBytes: number) {
    super(413, {
      code: 'body-too-large',
      kind: 'invalid',
      detail: `the body is larger than ${limitBytes} bytes`,
      facts: { limit_bytes: limitBytes },
    });
  }
}

/** The body is of another type than `application/json`. */
export class UnsupportedMediaTypeError extends TransportError {
  constructor(given: string | undefined) {
    super(415, {
      code: 'unsupported-media-type',
      kind: 'invalid',
      detail: `send the body as application/json, not ${given ?? 'without a Content-Type'} (curl: -H 'Content-Type: application/json')`,
    });
  }
}

/** The client closed its connection while its answer was being made. Nobody reads this; the log may show it. */
export class ClientGoneError extends DomainError {
  constructor() {
    super({
      code: 'client-gone',
      kind: 'timeout',
      detail: 'the client went away before it had its answer; what was being done for it has been stopped',
      retryable: true,
    });
  }
}

/** What nobody expected. Its cause is in the log, under the request's id. */
export class InternalError extends DomainError {
  constructor(cause: unknown) {
    super({
      code: 'internal-error',
      kind: 'internal',
      detail: 'something went wrong inside of Backstop; its log has the cause under this request_id',
      cause,
    });
  }
}
