import type { IncomingMessage, ServerResponse } from 'node:http';

import { v7 } from 'uuid';

/** What may come in from a client: enough for every tracing format, and nothing that could forge a line of the log. */
const SANE = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/**
 * The id of a request: the client's `X-Request-Id` when it is sane, else a new one. It is also sent back. A request that has one
 * keeps it.
 */
export function assignRequestId(
  request: IncomingMessage & { id?: unknown },
  response: ServerResponse,
): string {
  if (typeof request.id === 'string') return request.id;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && SANE.test(given) ? given : v7();
  response.setHeader('X-Request-Id', id);
  return id;
}

/** The id that was put on the request; also where the log never saw it, as with a path that cannot be decoded. */
export function requestIdOf(request: { id?: unknown }): string {
  return typeof request.id === 'string' ? request.id : '';
}
