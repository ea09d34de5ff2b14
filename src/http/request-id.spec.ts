import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { assignRequestId } from './request-id.js';

/** The id that a request with this header gets; it is also on the response. */
function idFor(header: string | undefined): string {
  const request = new IncomingMessage(new Socket());
  if (header !== undefined) request.headers['x-request-id'] = header;
  const response = new ServerResponse(request);
  const id = assignRequestId(request, response);
  expect(response.getHeader('x-request-id')).toBe(id);
  return id;
}

describe('the id of a request', () => {
  it.each([
    '1',
    'deploy-7',
    'a1b2c3d4-0000-7000-8000-000000000000',
    'Root=1-67891233-abcdef',
    'x'.repeat(128),
  ])('is that of the client when it is sane: %s', (header) => {
    expect(idFor(header)).toBe(header);
  });

  it.each([undefined, '', 'a b', 'x'.repeat(129), '"}{"', 'ä', 'a\nb'])(
    'is a new one instead of %j',
    (header) => {
      expect(idFor(header)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    },
  );
});
