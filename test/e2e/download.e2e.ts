import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, freshShop, register, SHOP_ROWS } from '../support/shop.ts';

const run = promisify(execFile);
const server = newestPostgresServer();
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let backup: BackupBody;
let stored: Buffer;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(':') } });
  await register(service, server, shop.name, 'shop');
  backup = await completedBackup(service, 'shop');
  stored = await readFile(pathOf(backup));
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
});

function pathOf({ filename }: BackupBody): string {
  return join(service.dataDir, 'data', 'backups', 'shop', filename);
}

async function download(
  query = '',
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const response = await fetch(`${service.url}/backups/${backup.id}/download${query}`, { headers });
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

describe('downloading a backup', () => {
  test('gives the archive as stored, with its name, size and digest', async () => {
    const answer = await download();
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(stored)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag: `"${createHash('sha256').update(stored).digest('hex')}"`,
      'content-length': String(stored.byteLength),
      'content-disposition': `attachment; filename="${backup.filename}"`,
      'accept-ranges': 'bytes',
    });
  });

  test.each([
    { range: 'bytes=0-99', from: 0, to: 99 },
    { range: 'bytes=100-', from: 100, to: -1 },
    { range: 'bytes=-50', from: -50, to: -1 },
    { range: 'bytes=10-999999999', from: 10, to: -1 },
  ])('gives the range $range', async ({ range, from, to }) => {
    const size = stored.byteLength;
    const start = from < 0 ? size + from : from;
    const end = to < 0 ? size - 1 : to;
    const answer = await download('', { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/${size}`);
    expect(answer.bytes.equals(stored.subarray(start, end + 1))).toBe(true);
  });

  test('refuses a range behind the end', async () => {
    const answer = await download('', { range: `bytes=${stored.byteLength}-` });
    expect(answer.status).toBe(416);
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 'range-not-satisfiable' });
  });

  test('starts again when the file is not the one that If-Range means', async () => {
    expect((await download('', { range: 'bytes=5-9', 'if-range': '"another"' })).status).toBe(200);
    expect((await download('', { range: 'bytes=5-9', 'if-range': `"${backup.sha256}"` })).status).toBe(206);
  });

  test('says that nothing has changed to who has it already', async () => {
    for (const tags of [`"${backup.sha256}"`, `"other", W/"${backup.sha256}"`, '*']) {
      const answer = await download('', { 'if-none-match': tags });
      expect([tags, answer.status, answer.bytes.byteLength]).toEqual([tags, 304, 0]);
    }
    expect((await download('', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('decompresses on request', async () => {
    const answer = await download('?plain=true');
    expect(answer.bytes.equals(zstdDecompressSync(stored))).toBe(true);
    expect(answer.bytes.byteLength).toBe(backup.plain_bytes);
    expect(answer.headers.get('content-disposition')).toContain(backup.filename.replace('.zst', '"'));
    expect((await download('?plain=true', { range: 'bytes=0-9' })).status).toBe(200);
  });

  test('answers HEAD without the bytes', async () => {
    const url = `${service.url}/backups/${backup.id}/download`;
    const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(stored.byteLength)]);
  });

  test('has no roles when they were not asked for', async () => {
    const answer = await download('?part=roles');
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({ status: 404, code: 'part-not-found' });
  });

  test('restores with zstd and pg_restore of a plain PostgreSQL package, without Backstop', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-by-hand-'));
    await using target = await freshDatabase(server, 'by_hand');
    try {
      const file = join(folder, backup.filename);
      await writeFile(file, (await download()).bytes);
      await run('zstd', ['-d', '-q', file]);
      const { host, port, username, password } = server;
      const tool = join(server.clientBinDirs.at(-1)!, 'pg_restore');
      const connection = ['-h', host, '-p', String(port), '-U', username, '-d', target.name];
      await run(tool, ['--exit-on-error', '--no-owner', ...connection, file.replace(/\.zst$/, '')], {
        env: { ...process.env, PGPASSWORD: password },
      });
    } finally {
      await rm(folder, { recursive: true });
    }
    for (const [table, rows] of Object.entries(SHOP_ROWS)) {
      const [counted] = await sql<{ n: string }>(server, target.name, `SELECT count(*) AS n FROM ${table}`);
      expect([table, Number(counted?.n)]).toEqual([table, rows]);
    }
  });

  test.each(['', '?plain=true'])(
    'cuts the connection before the end of a damaged archive (%s)',
    async (query) => {
      const damaged = Buffer.from(stored);
      damaged[damaged.byteLength >> 1] = damaged[damaged.byteLength >> 1]! ^ 1;
      await writeFile(pathOf(backup), damaged);
      try {
        await expect(download(query)).rejects.toThrow();
      } finally {
        await writeFile(pathOf(backup), stored);
      }
      expect((await download(query)).status).toBe(200);
    },
  );

  test('cuts the connection when the archive is shorter than it was', async () => {
    await truncate(pathOf(backup), stored.byteLength - 1);
    try {
      await expect(download()).rejects.toThrow();
      // A range of it would end too early, and the client wait for the rest.
      const answer = await download('', { range: 'bytes=10-' });
      expect(JSON.parse(answer.bytes.toString())).toMatchObject({ status: 422, code: 'archive-damaged' });
    } finally {
      await writeFile(pathOf(backup), stored);
    }
  });

  test('says what is missing when the archive is gone', async () => {
    await rm(pathOf(backup));
    try {
      const answer = await download();
      expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 'archive-missing' });
    } finally {
      await writeFile(pathOf(backup), stored);
    }
  });

  test('refuses to show contents from a manifest that somebody has edited', async () => {
    const manifest = `${pathOf(backup)}.manifest.json`;
    const original = await readFile(manifest, 'utf8');
    await writeFile(manifest, original.replace('"rows": 500', '"rows": 501'));
    try {
      const answer = await service.request('GET', `/backups/${backup.id}/contents`);
      expect(answer.body).toMatchObject({ status: 422, code: 'manifest-changed' });
    } finally {
      await writeFile(manifest, original);
    }
  });
});
