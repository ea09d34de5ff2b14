import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';

import { Config } from '../../src/config/config.js';
import { envBindingsOf } from '../../src/config/from-env.js';

const text = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
const named = [...text.matchAll(/^#?([A-Z][A-Z_]+)=/gm)].map((match) => match[1] ?? '');

/** Variables that docker-compose.yml is filled from. */
async function composeVariables(): Promise<string[]> {
  const compose = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const document: unknown = parse(compose);
  return [...JSON.stringify(document).matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
}

describe('.env.example', () => {
  it('names every setting once, and nothing that nobody reads', async () => {
    const read = new Set([
      ...envBindingsOf(Config).map((binding) => binding.name),
      ...(await composeVariables()),
    ]);
    expect([...named].sort()).toEqual([...read].sort());
  });

  it('has a line of explanation before each group of names', () => {
    const lines = text.split('\n');
    const unexplained = lines.filter((line, index) => {
      if (!/^#?[A-Z][A-Z_]+=/.test(line)) return false;
      const before = lines.slice(0, index).findLast((other) => !/^#?[A-Z][A-Z_]+=/.test(other));
      return before === undefined || !/^# \S/.test(before);
    });
    expect(unexplained).toEqual([]);
  });
});
