import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Answer, type Service, startService } from '../support/service.ts';

type Body = Record<string, unknown> & { id: string; code?: string };

const env = { BACKSTOP_SECRET_KEY: 'an obviously fake passphrase for tests' };
const place = { host: 'db.example.com', username: 'app', password: 'fake-password' };

/** Something that can be made with a key, by its name. Nothing connects to the databases. */
interface Kind {
  path: string;
  record: string;
  body(name: string): object;
  /** The same, said in another order. */
  reordered(name: string): object;
  /** What is not the same. */
  others: object[];
  change: object;
}

const kinds: Kind[] = [
  {
    path: '/databases',
    record: '/databases',
    body: (name) => ({
      name,
      engine: 'postgres',
      ...place,
      database_name: 'shop',
      options: { format: 'plain' },
    }),
    reordered: (name) => ({
      options: { format: 'plain' },
      database_name: 'shop',
      password: place.password,
      username: place.username,
      host: place.host,
      engine: 'postgres',
      name,
    }),
    others: [
      { name: 'another' },
      { password: 'another-fake-password' },
      { password: undefined },
      { host: 'db2.example.com' },
      { options: { format: 'custom' } },
      { tls: { mode: 'verify-full' } },
      { schedule: '0 3 * * *' },
      { retention_days: 7 },
    ],
    change: { password: 'another-fake-password', port: 5433, host: 'db2.example.com', retention_days: 9 },
  },
  {
    path: '/connections',
    record: '/databases',
    body: (name) => ({ name, type: 'postgres', ...place, database: 'shop' }),
    // Under the names of today it is the same request.
    reordered: (name) => ({ database_name: 'shop', ...place, engine: 'postgres', name }),
    others: [{ database: 'another' }, { password: 'another-fake-password' }],
    change: { username: 'other' },
  },
  {
    path: '/schedules',
    record: '/schedules',
    body: (name) => ({ database_id: 'shop', name, cron: '0 3 * * *', keep_daily: 7, keep_weekly: 4 }),
    reordered: (name) => ({ keep_weekly: 4, keep_daily: 7, cron: '0 3 * * *', name, database_id: 'shop' }),
    others: [
      { name: 'another' },
      { database_id: 'store' },
      { cron: '0 4 * * *' },
      { cron: undefined, interval_hours: 6 },
      { keep_daily: 8 },
      { enabled: false },
      { blackouts: [{ from: '08:00', to: '18:00' }] },
    ],
    change: { cron: '0 5 * * *', keep_daily: 3, name: 'renamed' },
  },
];

let dataDir: string;
let service: Service;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-repeated-'));
  service = await startService({ env, dataDir });
  for (const name of ['shop', 'store']) {
    const answer = await service.request('POST', '/databases', kinds[0]!.body(name));
    expect(answer.status, answer.text).toBe(201);
  }
});
afterAll(async () => {
  await service.stop();
  await rm(dataDir, { recursive: true });
});

async function post(path: string, body: object, key: string): Promise<Answer<Body>> {
  return service.request<Body>('POST', path, body, { 'idempotency-key': key });
}
async function namesOf(list: string): Promise<unknown[]> {
  return (await service.request<Body[]>('GET', `${list}?limit=500`)).body.map(({ name }) => name);
}
/** Without what the older path says of the answer itself. */
function recordIn({ message: _message, timestamp: _timestamp, ...body }: Body): object {
  return body;
}

describe.each(kinds)('POST $path with an Idempotency-Key', ({ path, record, body, ...kind }) => {
  const name = (what: string): string => `${path.slice(1, 4)}-${what}`;

  it('answers with the first record when it is sent again', async () => {
    const first = await post(path, body(name('again')), name('again'));
    expect(first.status, first.text).toBe(201);
    const second = await post(path, body(name('again')), name('again'));
    expect(second.status, second.text).toBe(201);
    expect(recordIn(second.body)).toEqual(recordIn(first.body));
    expect(second.headers.get('location')).toBe(`${record}/${first.body.id}`);
    const reordered = await post(path, kind.reordered(name('again')), name('again'));
    expect([reordered.status, reordered.body.id]).toEqual([201, first.body.id]);
    expect((await namesOf(record)).filter((each) => each === name('again'))).toHaveLength(1);
  });

  it('makes one record of many requests at once', async () => {
    const send = (): Promise<Answer<Body>> => post(path, body(name('at-once')), name('at-once'));
    const answers = await Promise.all(Array.from({ length: 8 }, send));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await namesOf(record)).filter((each) => each === name('at-once'))).toHaveLength(1);
  });

  it('refuses a key that was used for something else, and makes nothing', async () => {
    const first = await post(path, body(name('reused')), name('reused'));
    expect(first.status, first.text).toBe(201);
    const before = await namesOf(record);
    for (const other of kind.others) {
      const answer = await post(path, { ...body(name('reused')), ...other }, name('reused'));
      expect(answer.body, JSON.stringify(other)).toMatchObject({
        status: 409,
        code: 'idempotency-key-reused',
        detail: expect.stringContaining(first.body.id) as string,
      });
      expect(Object.values(answer.body['facts'] as object)).toContain(first.body.id);
      expect(answer.text).not.toContain('fake');
    }
    expect(await namesOf(record)).toEqual(before);
  });

  it('answers with the record as it is now when it was changed since', async () => {
    const first = await post(path, body(name('changed')), name('changed'));
    const changed = await service.request<Body>('PATCH', `${record}/${first.body.id}`, kind.change);
    expect(changed.status, changed.text).toBe(200);
    const again = await post(path, body(name('changed')), name('changed'));
    expect(again.status, again.text).toBe(201);
    expect(again.body).toMatchObject(changed.body);
  });

  it('is the first again when the record was removed since', async () => {
    const first = await post(path, body(name('removed')), name('removed'));
    expect((await service.request('DELETE', `${record}/${first.body.id}`)).status).toBe(204);
    const again = await post(path, body(name('removed')), name('removed'));
    expect(again.status, again.text).toBe(201);
    expect(again.body.id).not.toBe(first.body.id);
    expect((await post(path, body(name('removed')), name('removed'))).body.id).toBe(again.body.id);
  });

  it('does not spend the key on a request that is refused', async () => {
    const refused = await post(path, { ...body(name('mended')), name: 'no name' }, name('mended'));
    expect(refused.status).toBe(400);
    const mended = await post(path, body(name('mended')), name('mended'));
    expect(mended.status, mended.text).toBe(201);
  });

  it('tells of a name that another record has, whatever the key', async () => {
    await post(path, body(name('taken')), name('taken'));
    const other = await post(path, body(name('taken')), name('taken-too'));
    expect(other.body).toMatchObject({ status: 409, code: expect.stringMatching(/-name-taken$/) as string });
  });

  it.each([
    { what: 'an empty one', key: '' },
    { what: 'one of 256 characters', key: 'x'.repeat(256) },
  ])('refuses $what', async ({ key }) => {
    const answer = await post(path, body(name('refused')), key);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(await namesOf(record)).not.toContain(name('refused'));
  });

  it('takes one of 255 characters', async () => {
    const key = `${path}${'x'.repeat(255 - path.length)}`;
    const first = await post(path, body(name('long')), key);
    expect(first.status, first.text).toBe(201);
    expect((await post(path, body(name('long')), key)).body.id).toBe(first.body.id);
  });

  it('remembers the key over a restart', async () => {
    const first = await post(path, body(name('restart')), name('restart'));
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir });
    const again = await post(path, body(name('restart')), name('restart'));
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
  });
});

describe('a key', () => {
  it('is one for a registration and for its older path, and another for a schedule', async () => {
    const request = { name: 'one-key', engine: 'postgres', ...place, database_name: 'shop' };
    const database = await post('/databases', request, 'one-key');
    expect((await post('/connections', request, 'one-key')).body.id).toBe(database.body.id);
    const schedule = await post('/schedules', { database_id: 'one-key', cron: '0 3 * * *' }, 'one-key');
    expect(schedule.status, schedule.text).toBe(201);
  });

  it('answers for a schedule also when its database has another name by now', async () => {
    await post('/databases', kinds[0]!.body('before'), 'to-be-renamed');
    const request = { database_id: 'before', name: 'nightly', cron: '0 3 * * *' };
    const first = await post('/schedules', request, 'of-a-renamed-one');
    await service.request('PATCH', '/databases/before', { name: 'after' });
    const again = await post('/schedules', request, 'of-a-renamed-one');
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    expect(again.body).toMatchObject({ database_name: 'after' });
  });

  it('is gone with the database of its schedule', async () => {
    await service.request('POST', '/databases', kinds[0]!.body('short-lived'));
    const request = { database_id: 'short-lived', name: 'nightly', cron: '0 3 * * *' };
    await post('/schedules', request, 'short-lived');
    await service.request('DELETE', '/databases/short-lived');
    expect((await post('/schedules', request, 'short-lived')).body).toMatchObject({
      status: 404,
      code: 'database-not-found',
    });
    const other = await post('/schedules', { ...request, database_id: 'store' }, 'short-lived');
    expect(other.status, other.text).toBe(201);
  });
});
