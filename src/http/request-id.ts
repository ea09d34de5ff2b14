import type { IncomingMessage, ServerResponse } from 'node:http';

import { v7 } from 'uuid';

/** What may come in from a client: enough for every tracing format, and nothing that could forge a line of the log. */
const SANE = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** The id of a request: the client's `X-Request-Id` when it is sane, else a new one. It is also sent back. */
export function assignRequestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && SANE.test(given) ? given : v7();
  response.setHeader('X-Request-Id', id);
  return id;
}

/** The id that the logging middleware has put on the request. */
export function requestIdOf(request: { id?: unknown }): string {
  return typeof request.id === 'string' ? request.id : '';
}
