import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { ContentFacts } from '../engines/content-facts.js';
import { DUMP_FORMATS, ENGINE_KINDS, type DumpScope } from '../engines/engine.js';
import { DomainError } from '../errors/domain-error.js';
import { decodeManifest, encodeManifest } from './manifest-codec.js';
import { ManifestInvalidError, ManifestUnknownVersionError } from './manifest.errors.js';
import { COMPRESSIONS, type Manifest, type ManifestPart } from './manifest.js';

const SHA = 'ab'.repeat(32);

const example: Manifest = {
  format_version: 1,
  backup_id: '0192f0c1-2345-7abc-8def-0123456789ab',
  attempt: 1,
  created_at: '2026-11-21T03:15:00.000Z',
  completed_at: '2026-11-21T03:15:41.123Z',
  trigger: 'scheduled',
  description: null,
  engine: 'postgres',
  database: { name: 'shop', database_name: 'shop "prod"', host: 'db.example.com', port: 5432 },
  server: { version: '17.2', major: 17, details: { encoding: 'UTF8', nested: { list: [1, null, 'x'] } } },
  tool: { name: 'pg_dump', version: '17.2' },
  written_by: '0.1.0',
  format: 'custom',
  options: { format: 'custom', excludeTables: ['public.logs'], includeRoles: true },
  compression: 'zstd',
  encryption: null,
  parts: [
    { role: 'data', filename: 'a.dump.zst', plain: sized(10), stored: sized(5) },
    { role: 'roles', filename: 'a.roles.sql.zst', plain: sized(3), stored: sized(12) },
  ],
  content: {
    items: [
      { name: 'public.orders', kind: 'table', rows: 12, bytes: 8192, contentHash: 'pg-hash-v1:00ff' },
      { name: 'public.Größen', kind: 'table', rows: 0, bytes: 0 },
    ],
    counters: { large_objects: 2 },
    schema: { digest: SHA, comparableWith: 'postgres-17', objects: { tables: 2 } },
  },
};

function sized(bytes: number): ManifestPart['plain'] {
  return { size_bytes: bytes, sha256: SHA };
}

describe('the text of a manifest', () => {
  const text = encodeManifest(example);

  test('is JSON for people, in snake case throughout, with its digest at the end', () => {
    expect(text.split('\n').slice(0, 3)).toEqual([
      '{',
      '  "format_version": 1,',
      '  "backup_id": "0192f0c1-2345-7abc-8def-0123456789ab",',
    ]);
    expect(text).toMatch(/\n {2}"digest": "sha256:[0-9a-f]{64}"\n}\n$/);
    const names = [...text.matchAll(/"([^"]+)": /g)].map((match) => match[1]);
    expect(names).toContain('exclude_tables');
    expect(names).toContain('content_hash');
    expect(names.filter((name) => /[A-Z]/.test(name ?? ''))).toEqual([]);
  });

  test('does not depend on the order in which a manifest was put together', () => {
    const reversed = Object.fromEntries(Object.entries(example).toReversed()) as unknown as Manifest;
    expect(encodeManifest(reversed)).toBe(text);
  });

  test('leaves out what is undefined', () => {
    const options: DumpScope = { format: 'custom', schemas: undefined };
    expect(decodeManifest(encodeManifest({ ...example, options })).options).toEqual({ format: 'custom' });
  });

  test('may be printed anew by another program', () => {
    expect(decodeManifest(JSON.stringify(JSON.parse(text)))).toEqual(example);
    expect(decodeManifest(text.replaceAll('\n', '\r\n'))).toEqual(example);
  });
});

describe('what is no manifest', () => {
  type Change = (manifest: Manifest) => object;
  const changes: [string, Change][] = [
    ['/backup_id', (m) => ({ ...m, backup_id: 'one' })],
    ['/attempt', (m) => ({ ...m, attempt: 0 })],
    ['/created_at', (m) => ({ ...m, created_at: '2026-11-21 03:15' })],
    ['/created_at', (m) => ({ ...m, created_at: '2026-13-41T03:15:00Z' })],
    ['/trigger', (m) => ({ ...m, trigger: '' })],
    ['/description', (m) => ({ ...m, description: 3 })],
    ['/engine', (m) => ({ ...m, engine: 'oracle' })],
    ['/database/port', (m) => ({ ...m, database: { ...m.database, port: 65_536 } })],
    ['/server/details/at', (m) => ({ ...m, server: { ...m.server, details: { at: new Date(0) } } })],
    ['/server/details/n~1a~0n', (m) => ({ ...m, server: { ...m.server, details: { 'n/a~n': Number.NaN } } })],
    ['/server/details/big', (m) => ({ ...m, server: { ...m.server, details: { big: 1n } } })],
    ['/options/exclude_tables/0', (m) => ({ ...m, options: { excludeTables: [1] } })],
    ['/encryption', (m) => ({ ...m, encryption: {} })],
    ['/parts', (m) => ({ ...m, parts: [] })],
    ['/parts', (m) => ({ ...m, parts: [m.parts[1]] })],
    ['/parts', (m) => ({ ...m, parts: [m.parts[0], m.parts[0]] })],
    ['/parts/0/filename', (m) => ({ ...m, parts: [{ ...m.parts[0], filename: '../../etc/passwd' }] })],
    [
      '/parts/0/stored/sha256',
      (m) => ({ ...m, parts: [{ ...m.parts[0], stored: { size_bytes: 1, sha256: 'AB' } }] }),
    ],
    [
      '/content/items/0/rows',
      (m) => ({ ...m, content: { ...m.content, items: [{ ...m.content.items[0], rows: -1 }] } }),
    ],
    ['/content/counters/x', (m) => ({ ...m, content: { ...m.content, counters: { x: 0.5 } } })],
  ];

  test.each(changes)('is not written: %s', (pointer, change) => {
    const error = failureOf(() => encodeManifest(change(example) as Manifest));
    expect(error).toBeInstanceOf(ManifestInvalidError);
    expect(error).toMatchObject({ code: 'manifest-invalid', retryable: false, facts: { pointer } });
  });

  test.each(Object.keys(example))('is refused without %s', (name) => {
    const document = JSON.parse(encodeManifest(example)) as Record<string, unknown>;
    delete document[name];
    const error = failureOf(() => decodeManifest(JSON.stringify(document)));
    expect(error).toMatchObject({ code: 'manifest-invalid', facts: { pointer: `/${name}` } });
  });

  test.each([
    '',
    'null',
    '[]',
    '3',
    '{',
    '"x"',
    '{}',
    '['.repeat(200_000),
    `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  ])('is refused: %.20s', (text) => {
    expect(failureOf(() => decodeManifest(text))).toBeInstanceOf(ManifestInvalidError);
  });

  test('is refused when it is nested deeper than a program can follow', () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const text = encodeManifest(example).replace('"UTF8"', deep);
    expect(failureOf(() => decodeManifest(text))).toBeInstanceOf(ManifestInvalidError);
  });

  test('is refused when a count was changed and is still a count', () => {
    const text = encodeManifest(example).replace('"rows": 12', '"rows": 13');
    expect(failureOf(() => decodeManifest(text))).toMatchObject({
      code: 'manifest-invalid',
      facts: { pointer: '/digest' },
    });
  });

  test('is refused when it has no digest', () => {
    const { digest: _digest, ...rest } = JSON.parse(encodeManifest(example)) as Record<string, unknown>;
    expect(failureOf(() => decodeManifest(JSON.stringify(rest)))).toMatchObject({
      facts: { pointer: '/digest' },
    });
  });
});

describe('versions', () => {
  test.each([0, 2, 99])('version %i is unknown, whatever else is in it', (version) => {
    for (const rest of [{}, example]) {
      const text = JSON.stringify({ ...rest, format_version: version });
      const error = failureOf(() => decodeManifest(text));
      expect(error).toBeInstanceOf(ManifestUnknownVersionError);
      expect(error).toMatchObject({ code: 'manifest-unknown-version', facts: { found: version, known: 1 } });
    }
  });

  test.each(['1', null, 1.5])('%j is no version', (version) => {
    const text = JSON.stringify({ ...example, format_version: version });
    expect(failureOf(() => decodeManifest(text))).toMatchObject({ code: 'manifest-invalid' });
  });
});

describe('for any manifest', () => {
  test('decode gives what was encoded', () => {
    fc.assert(
      fc.property(anyManifest(), (manifest) => {
        expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
      }),
    );
  });

  test('a damaged text is refused, or says the same; nothing but a DomainError is thrown', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('0', '1', '"', ' ', '}')),
    );
    fc.assert(
      fc.property(anyManifest(), damage, (manifest, [position, removed, inserted]) => {
        const text = encodeManifest(manifest);
        const at = position % text.length;
        const damaged = text.slice(0, at) + inserted + text.slice(at + removed);
        const outcome = failureOf(() => expect(decodeManifest(damaged)).toEqual(manifest));
        if (outcome !== undefined) expect(outcome).toBeInstanceOf(DomainError);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text and any JSON is refused properly', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"format_version":1,"x":${json}}`),
        ),
        (text) => {
          expect(failureOf(() => decodeManifest(text))).toBeInstanceOf(DomainError);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

function failureOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function anyManifest(): fc.Arbitrary<Manifest> {
  const size = fc.maxSafeNat();
  const word = fc.string({ minLength: 1 });
  const bytes = fc.record({ size_bytes: size, sha256: fc.constant(SHA) });
  const time = fc.date({ min: new Date('1970-01-01'), max: new Date('2999-12-31'), noInvalidDate: true });
  // JSON has no minus zero: it comes back as zero.
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9_. -]*[a-z]$/), { minLength: 1, maxLength: 3 });
  const content: fc.Arbitrary<ContentFacts> = fc.record({
    items: fc.array(
      fc.record(
        {
          name: fc.string(),
          kind: fc.constantFrom('table', 'collection'),
          rows: size,
          bytes: size,
          contentHash: word,
        },
        { requiredKeys: ['name', 'kind', 'rows', 'bytes'] },
      ),
    ),
    counters: fc.dictionary(fc.string(), size),
    schema: fc.record({ digest: word, comparableWith: word, objects: fc.dictionary(fc.string(), size) }),
  });
  const options: fc.Arbitrary<DumpScope> = fc.record(
    {
      format: fc.constantFrom(...DUMP_FORMATS),
      schemas: fc.array(fc.string()),
      excludeTables: fc.array(fc.string()),
      includeRoles: fc.boolean(),
      hashContent: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  return fc.record({
    format_version: fc.constant(1 as const),
    backup_id: fc.uuid(),
    attempt: fc.integer({ min: 1 }),
    created_at: time.map((date) => date.toISOString()),
    completed_at: time.map((date) => date.toISOString()),
    trigger: word,
    description: fc.option(fc.string()),
    engine: fc.constantFrom(...ENGINE_KINDS),
    database: fc.record({
      name: word,
      database_name: word,
      host: fc.string(),
      port: fc.nat({ max: 65_535 }),
    }),
    server: fc.record({ version: word, major: fc.nat(), details: fc.dictionary(fc.string(), json) }),
    tool: fc.record({ name: word, version: word }),
    written_by: word,
    format: fc.constantFrom(...DUMP_FORMATS),
    options,
    compression: fc.constantFrom(...COMPRESSIONS),
    encryption: fc.constant(null),
    parts: names.chain((all) =>
      fc.tuple(
        ...all.map((filename, at) =>
          fc.record({
            role: fc.constant(at === 0 ? ('data' as const) : ('roles' as const)),
            filename: fc.constant(filename),
            plain: bytes,
            stored: bytes,
          }),
        ),
      ),
    ),
    content,
  });
}
