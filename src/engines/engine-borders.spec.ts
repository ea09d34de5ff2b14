import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('..', import.meta.url));

/**
 * Every line of code outside of an engine's own folder that names its kind of database: what adding it has cost. A line more means that
 * the contract in `engine.ts` lacks a trait, which is to be added instead. Comments and examples may name anything.
 */
const LINES_THAT_NAME_MONGODB = {
  'cli/database-commands.ts': 1, // the help of an option
  'config/config.ts': 2, // MONGO_BIN_DIRS
  'declared/environment-databases.ts': 1, // MONGO_HOST, …
  'engines/engine-list.ts': 2, // the engine, imported and listed
  'engines/engine.ts': 1, // the kind
};

/** Lines of code, without comments, that match. */
function linesThatName(pattern: RegExp, text: string): number {
  const lines = text.split('\n').map((line) => line.replace(/\s\/\/ .*$/, '').trim());
  return lines.filter((line) => !/^(\/\*|\*|\/\/)/.test(line) && pattern.test(line)).length;
}

describe('the border of an engine', () => {
  it('is crossed by the name of MongoDB on these lines alone', async () => {
    const found: Record<string, number> = {};
    for await (const file of glob('**/*.ts', { cwd: SRC })) {
      if (file.startsWith('engines/mongo/') || file.endsWith('.spec.ts')) continue;
      const count = linesThatName(/mongo/i, readFileSync(`${SRC}/${file}`, 'utf8'));
      if (count > 0) found[file] = count;
    }
    expect(found).toEqual(LINES_THAT_NAME_MONGODB);
  });

  it('is crossed by no import but that of the list', async () => {
    const importers: string[] = [];
    for await (const file of glob('**/*.ts', { cwd: SRC })) {
      if (file.startsWith('engines/mongo/') || file.endsWith('.spec.ts')) continue;
      if (/from '[^']*\/mongo\//.test(readFileSync(`${SRC}/${file}`, 'utf8'))) importers.push(file);
    }
    expect(importers.toSorted()).toEqual(['engines/engine-list.ts']);
  });
});
