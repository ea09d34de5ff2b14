import { describe, expect, it } from 'vitest';

import type { EngineTraits } from '../engines/engine.js';
import { MONGO_TRAITS } from '../engines/mongo/mongo-traits.js';
import { POSTGRES_TRAITS } from '../engines/postgres/postgres-traits.js';
import {
  checkOptions,
  type DatabaseOptions,
  effectiveOptions,
  mergeOptions,
  type OptionChanges,
} from './database-options.js';

const relational = POSTGRES_TRAITS;
const documents: EngineTraits = { ...MONGO_TRAITS, supportsRoles: false, supportsContentHash: false };

describe('checkOptions', () => {
  it.each<DatabaseOptions>([
    {},
    { format: 'plain', compression: 'none' },
    { compression: 'zstd', compressionLevel: 22 },
    { compressionLevel: 1 },
    { compression: 'gzip', compressionLevel: 9 },
    { excludeTables: ['public.log', 'My "Shop".a.b', 'public.-c'], schemas: ['public', 'a b'] },
    { includeRoles: true, hashContent: true },
    { timeoutSeconds: 1, stallSeconds: 2_592_000 },
  ])('takes %j', (options) => {
    expect(() => checkOptions(options, relational)).not.toThrow();
  });

  it.each<[option: string, options: DatabaseOptions]>([
    ['format', { format: 'archive' }],
    ['compression_level', { compressionLevel: 0 }],
    ['compression_level', { compressionLevel: 23 }],
    ['compression_level', { compressionLevel: 2.5 }],
    ['compression_level', { compression: 'gzip', compressionLevel: 10 }],
    ['compression_level', { compression: 'none', compressionLevel: 1 }],
    ['exclude_tables', { excludeTables: ['log'] }],
    ['exclude_tables', { excludeTables: ['.log'] }],
    ['exclude_tables', { excludeTables: ['public.'] }],
    ['exclude_tables', { excludeTables: ['public.a\0'] }],
    ['exclude_tables', { excludeTables: ['public.a\ud800'] }],
    ['exclude_tables', { excludeTables: ['public.a', 'public.a'] }],
    ['schemas', { schemas: [''] }],
    ['schemas', { schemas: Array.from({ length: 1001 }, (_, at) => `s${at}`) }],
    ['timeout_seconds', { timeoutSeconds: 0 }],
    ['stall_seconds', { stallSeconds: 2_592_001 }],
    ['stall_seconds', { stallSeconds: 1.5 }],
    ['include_tables', { includeTables: ['public.a'] }],
    ['tool', { tool: 'auto' }],
  ])('refuses a wrong %s: %j', (option, options) => {
    expect(() => checkOptions(options, relational)).toThrow(
      expect.objectContaining({ code: 'options-invalid', facts: { option } }),
    );
  });

  it.each<[option: string, options: DatabaseOptions]>([
    ['format', { format: 'custom' }],
    ['include_roles', { includeRoles: true }],
    ['hash_content', { hashContent: true }],
    ['schemas', { schemas: ['public'] }],
    ['tool', { tool: 'pg_dump' }],
  ])('refuses %s for an engine that does not know it', (option, options) => {
    expect(() => checkOptions(options, documents)).toThrow(expect.objectContaining({ facts: { option } }));
  });

  it('takes bare names for an engine without schemas', () => {
    const options = { excludeTables: ['log'], includeTables: ['a.b'], tool: 'builtin' };
    expect(() => checkOptions(options, documents)).not.toThrow();
    expect(effectiveOptions({}, documents)).toMatchObject({ format: 'archive', tool: 'auto' });
  });
});

describe('effectiveOptions', () => {
  it('fills in what was not said', () => {
    expect(effectiveOptions({}, relational)).toEqual({
      format: 'custom',
      compression: 'zstd',
      compressionLevel: 3,
      includeTables: [],
      excludeTables: [],
      schemas: [],
      includeRoles: false,
      hashContent: false,
    });
  });

  it('has no level where there is no compression', () => {
    expect(effectiveOptions({ compression: 'none' }, relational)).not.toHaveProperty('compressionLevel');
  });

  it('keeps what was said', () => {
    const said: DatabaseOptions = {
      format: 'plain',
      compression: 'gzip',
      compressionLevel: 9,
      includeTables: [],
      excludeTables: ['a.b'],
      schemas: ['a'],
      includeRoles: true,
      hashContent: true,
      timeoutSeconds: 10,
      stallSeconds: 5,
    };
    expect(effectiveOptions(said, relational)).toEqual(said);
  });
});

describe('mergeOptions', () => {
  it.each<[options: DatabaseOptions, changes: OptionChanges, merged: DatabaseOptions]>([
    [{ format: 'plain' }, {}, { format: 'plain' }],
    [{ format: 'plain' }, { stallSeconds: 5 }, { format: 'plain', stallSeconds: 5 }],
    [{ format: 'plain', stallSeconds: 5 }, { format: null }, { stallSeconds: 5 }],
    [{ schemas: ['a', 'b'] }, { schemas: ['c'] }, { schemas: ['c'] }],
    [
      { compression: 'zstd', compressionLevel: 19 },
      { compression: 'zstd' },
      { compression: 'zstd', compressionLevel: 19 },
    ],
    [{ compression: 'zstd', compressionLevel: 19 }, { compression: 'gzip' }, { compression: 'gzip' }],
    [{ compression: 'zstd', compressionLevel: 19 }, { compression: null }, {}],
    [
      { compressionLevel: 19 },
      { compression: 'gzip', compressionLevel: 9 },
      { compression: 'gzip', compressionLevel: 9 },
    ],
  ])('%j with %j is %j', (options, changes, merged) => {
    expect(mergeOptions(options, changes)).toEqual(merged);
  });
});
