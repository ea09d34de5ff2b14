import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SystemClock } from '../../src/clock/system-clock.ts';
import { startFailing } from './failing-service.ts';

describe('an operation that fails', () => {
  let app: NestExpressApplication;
  let url: string;
  beforeAll(async () => {
    ({ app, url } = await startFailing(new SystemClock()));
  });
  afterAll(() => app.close());

  async function ask(path: string): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
    const response = await fetch(`${url}${path}`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    const body: Record<string, unknown> = JSON.parse(text);
    return { status: response.status, body, text };
  }

  it.each([
    ['invalid', 400],
    ['not-found', 404],
    ['conflict', 409],
    ['unprocessable', 422],
    ['range', 416],
    ['unavailable', 503],
    ['timeout', 504],
  ])('of the kind %s answers %i and says what it knows', async (kind, status) => {
    const { body, text } = await ask(`/fail/kind/${kind}`);
    expect(body).toMatchObject({
      status,
      code: 'shop-closed',
      type: '/docs/problems/shop-closed',
      detail: 'the shop is closed until 8',
      facts: { opens: 8 },
      instance: `/fail/kind/${kind}`,
      retryable: false,
      request_id: expect.stringMatching(/.+/),
    });
    expect(text).not.toContain('cause-not-for-clients');
  });

  it.each(['/fail/bug', '/fail/kind/internal'])(
    'by our own fault shows nothing but the request id: %s',
    async (path) => {
      const { status, body, text } = await ask(path);
      expect(status).toBe(500);
      expect(body['facts']).toBeUndefined();
      expect(body['request_id']).toEqual(expect.stringMatching(/.+/));
      expect(text).not.toMatch(/not-for-clients|shop is closed/);
    },
  );

  it('in one of Nest’s own checks is an invalid request', async () => {
    expect(await ask('/fail/number/seven')).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining('numeric string') },
    });
  });

  it('in the middle of its answer breaks the connection, so that half is never taken for the whole', async () => {
    const response = await fetch(`${url}/fail/half`);
    await expect(response.text()).rejects.toThrow();
    expect((await fetch(`${url}/fail/number/7`)).status).toBe(200);
  });
});
