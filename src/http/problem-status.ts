import { type DomainError, type ProblemKind } from '../errors/domain-error.js';
import { TransportError } from './http.errors.js';

const STATUS: Readonly<Record<ProblemKind, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  unprocessable: 422,
  range: 416,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

export function statusOfKind(kind: ProblemKind): number {
  return STATUS[kind];
}

/** The status with which an error is answered: its kind decides, and HTTP's own errors bring theirs. */
export function statusOf(error: DomainError): number {
  return error instanceof TransportError ? error.status : statusOfKind(error.kind);
}
