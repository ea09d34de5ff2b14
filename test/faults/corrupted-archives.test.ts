import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Compression } from '../../src/archive/manifest.ts';
import { DomainError } from '../../src/errors/domain-error.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { postgresEngine } from '../engines/postgres-under-test.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { ArchiveShelf, type ShelvedArchive } from './archive-shelf.ts';
import { often } from './intensity.ts';

/** Each of these is one damaged archive or manifest. */
const RUNS = often(1_000, 10_000);
/** Archives without their digests are read by pg_restore, one process each. */
const BARE_RUNS = often(500, 5_000);
/** What one damaged archive may keep somebody busy with. */
const MOST_MS = 60_000;
/** What all of them together may add to the memory of this process; zstd alone may ask for 128 MiB. */
const MOST_BYTES = 512 * 1024 * 1024;

const server = newestPostgresServer();
let dir: string;
let engine: PostgresEngine;
let shelf: ArchiveShelf;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'backstop-corrupted-'));
  engine = postgresEngine(server.clientBinDirs, dir);
  shelf = await ArchiveShelf.fill(engine, server, join(dir, 'shelf'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** One damage: to the archive or the manifest, cut short or one bit turned, somewhere. */
const damage = fc.record({
  set: fc.constantFrom(
    ...(['custom', 'plain'] as const).flatMap((format) =>
      (['zstd', 'gzip', 'none'] satisfies Compression[]).map((compression) => ({ format, compression })),
    ),
  ),
  object: fc.constantFrom('archive' as const, 'archive' as const, 'archive' as const, 'manifest' as const),
  way: fc.constantFrom('cut', 'flip'),
  // Ends and beginnings are where readers go wrong, so that half of the damages are there.
  place: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.001, 0.999, 1)),
  bit: fc.integer({ min: 0, max: 7 }),
});

function damaged(bytes: Buffer, how: { way: string; place: number; bit: number }): Buffer {
  const at = Math.min(bytes.length - 1, Math.floor(how.place * bytes.length));
  if (how.way === 'cut') return bytes.subarray(0, at);
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ (1 << how.bit), at);
  return changed;
}

/** Runs it and gives what it threw, and demands that it came within the time. */
async function outcomeOf(work: () => Promise<unknown>): Promise<unknown> {
  const started = performance.now();
  const outcome = await work().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(performance.now() - started).toBeLessThan(MOST_MS);
  return outcome;
}

describe('a damaged archive set', () => {
  test(`is refused, each of ${RUNS} random ones, by the manifest or by the digests, and with an error of ours`, async () => {
    const before = process.memoryUsage.rss();
    let most = before;
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        const set = shelf.get(how.set.format, how.set.compression);
        const object = damaged(set[how.object], how);
        // Without its last line feed a manifest says what it said.
        fc.pre(!object.equals(set[how.object].subarray(0, -1)) || how.object === 'archive');
        const spoiled = { ...set, [how.object]: object };
        // The catalog's own digests of the manifest and the archive would tell too; here nobody has a catalog.
        const error = await outcomeOf(() => shelf.check(spoiled, dir));
        expect(error).toBeInstanceOf(DomainError);
        most = Math.max(most, process.memoryUsage.rss());
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(most - before).toBeLessThan(MOST_BYTES);
  });

  test(`never makes a reader that has no digests crash or hang, in ${BARE_RUNS} runs`, async () => {
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        const { format } = how.set;
        const { archive } = shelf.get(format, 'none');
        const spoiled = damaged(archive, how);
        const error = await outcomeOf(() => engine.inspect(piecesOf(spoiled), format, plainCall()));
        // A bit that was turned within a row leaves an archive that can be read; a cut one never is.
        if (how.way === 'cut') expect(error).toBeDefined();
        if (error !== undefined) expect(error).toBeInstanceOf(DomainError);
      }),
      { numRuns: BARE_RUNS, endOnFailure: true },
    );
  });

  test.each(['custom', 'plain'] as const)(
    'is refused when it is another one of equal size (%s)',
    async (format) => {
      const set = shelf.get(format, 'none');
      const other = shelf.another(format);
      expect(other.archive.length).toBe(set.archive.length);
      expect(other.archive.equals(set.archive)).toBe(false);
      await shelf.check(other, dir);
      const swapped: ShelvedArchive = { ...set, archive: other.archive };
      expect(await outcomeOf(() => shelf.check(swapped, dir))).toMatchObject({ code: 'archive-damaged' });
    },
  );

  test('is accepted as long as nobody damaged it', async () => {
    for (const set of shelf.all()) await shelf.check(set, dir);
  });

  test('names the fault of a manifest that is no manifest at all', async () => {
    const set = shelf.get('custom', 'none');
    for (const text of ['', '{}', '[]', 'null', '{"format_version": 99}', '\u0000', '{"a":'.repeat(50_000)]) {
      const error = await outcomeOf(() => shelf.check({ ...set, manifest: Buffer.from(text) }, dir));
      expect(error).toMatchObject({ code: expect.stringMatching(/^manifest-/) });
    }
  });
});
