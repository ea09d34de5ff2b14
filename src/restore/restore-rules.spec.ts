import { describe, expect, test } from 'vitest';

import { checkChoice, checkReplacement } from './restore-rules.js';

const item = (name: string) => ({ name, kind: 'table' as const, rows: 1, bytes: 8192 });
const manifest = {
  format: 'custom' as const,
  options: { schemas: [], includeTables: [], excludeTables: [] },
  content: {
    items: [item('public.orders'), item('public.Order "Items"')],
    counters: {},
    schema: { digest: '', comparableWith: 'postgres-17', objects: {} },
  },
};
const traits = { supportsItemRestore: ['custom'] as const, supportsParallelRestore: ['custom'] as const };

describe('choosing tables and jobs', () => {
  test.each([
    { mode: 'new' },
    { mode: 'new', tables: ['public.orders', 'public.Order "Items"'] },
    { mode: 'new', jobs: 4 },
    { mode: 'replace', jobs: 2 },
  ] as const)('%j is fine', (choice) => {
    expect(() => checkChoice(choice, manifest, traits)).not.toThrow();
  });

  test.each([
    { choice: { mode: 'replace', tables: ['public.orders'] }, code: 'tables-not-allowed' },
    { choice: { mode: 'new', tables: ['orders'] }, code: 'tables-unknown' },
    { choice: { mode: 'new', tables: ['public.orders', 'public.nothing'] }, code: 'tables-unknown' },
  ] as const)('$choice is $code', ({ choice, code }) => {
    expect(() => checkChoice(choice, manifest, traits)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    { options: { schemas: ['shop'] }, facts: { schemas: ['shop'] } },
    { options: { includeTables: ['orders'] }, facts: { include_tables: ['orders'] } },
    { options: { excludeTables: ['public.log'] }, facts: { exclude_tables: ['public.log'] } },
  ])('a backup limited by $facts replaces nothing, and can be restored beside', ({ options, facts }) => {
    const partial = { ...manifest, options };
    expect(() => checkChoice({ mode: 'replace' }, partial, traits)).toThrow(
      expect.objectContaining({ code: 'backup-partial', facts }),
    );
    expect(() => checkChoice({ mode: 'new' }, partial, traits)).not.toThrow();
  });

  test('names exactly the tables that are not there', () => {
    const choice = { mode: 'new', tables: ['public.orders', 'public.nothing'] } as const;
    expect(() => checkChoice(choice, manifest, traits)).toThrow(
      expect.objectContaining({ facts: expect.objectContaining({ unknown: ['public.nothing'] }) }),
    );
  });

  test.each([{ tables: ['public.orders'] }, { jobs: 2 }])('%j needs a format that can do it', (choice) => {
    const plain = { ...manifest, format: 'plain' as const };
    expect(() => checkChoice({ mode: 'new', ...choice }, plain, traits)).toThrow(
      expect.objectContaining({ code: 'restore-choice-unsupported' }),
    );
    expect(() => checkChoice({ mode: 'new', jobs: 1 }, plain, traits)).not.toThrow();
  });
});

describe('replacing', () => {
  const registered = { name: 'shop', databaseName: 'shop_production' };

  test.each([
    { live: { name: 'shop_production', database: registered }, request: { confirm: 'shop' } },
    { live: { name: 'other', database: registered }, request: { confirm: 'other', safetyBackup: false } },
    { live: { name: 'other', database: null }, request: { confirm: 'other', safetyBackup: false } },
  ])('$live.name is confirmed by $request', ({ live, request }) => {
    expect(() => checkReplacement(request, live)).not.toThrow();
  });

  test.each([undefined, '', 'Shop', 'shop ', 'shop_production', 'yes'])(
    'a registered database is not confirmed by %j',
    (confirm) => {
      const live = { name: 'shop_production', database: registered };
      expect(() => checkReplacement({ confirm }, live)).toThrow(
        expect.objectContaining({ code: 'confirmation-missing', facts: { expected: 'shop' } }),
      );
    },
  );

  test('a neighbour of the registered database is confirmed by its own name only', () => {
    const live = { name: 'other', database: registered };
    expect(() => checkReplacement({ confirm: 'shop', safetyBackup: false }, live)).toThrow(
      expect.objectContaining({ code: 'confirmation-missing', facts: { expected: 'other' } }),
    );
  });

  test.each([registered, null])('what is not registered cannot have a safety backup', (database) => {
    expect(() => checkReplacement({ confirm: 'other' }, { name: 'other', database })).toThrow(
      expect.objectContaining({ code: 'safety-backup-impossible' }),
    );
  });
});
