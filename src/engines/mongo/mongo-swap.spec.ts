import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  beginSwap,
  LATE_SUFFIX,
  type Movable,
  type Mover,
  resumeSwap,
  type SwapJournal,
} from './mongo-swap.js';

class Crash extends Error {}

/** A server of names alone, on which the process may die before or after any step. */
class Names implements Mover {
  readonly contents = new Map<string, Map<string, string>>();
  #journal: SwapJournal | undefined;
  #stepsLeft = Number.POSITIVE_INFINITY;
  onMove: (() => void) | undefined;

  constructor(databases: Record<string, readonly string[]>) {
    for (const [database, names] of Object.entries(databases)) {
      this.contents.set(database, new Map(names.map((name) => [name, `${database}.${name}`])));
    }
  }

  dieAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  list(database: string): Promise<Movable[]> {
    return Promise.resolve(
      [...this.of(database).keys()].map((name) => ({
        name,
        kind: name.startsWith('v') ? 'view' : 'collection',
      })),
    );
  }

  move(what: Movable, from: string, to: string, newName: string): Promise<void> {
    return this.#step(() => {
      const value = this.of(from).get(what.name);
      if (value === undefined) throw new Error(`${from}.${what.name} is not there`);
      if (this.of(to).has(newName)) throw new Error(`${to}.${newName} would be overwritten`);
      this.of(from).delete(what.name);
      this.of(to).set(newName, value);
      this.onMove?.();
    });
  }

  readJournal(): Promise<SwapJournal | undefined> {
    return Promise.resolve(this.#journal);
  }

  writeJournal(_database: string, journal: SwapJournal): Promise<void> {
    return this.#step(() => {
      this.#journal = journal;
    });
  }

  dropJournal(): Promise<void> {
    return this.#step(() => {
      this.#journal = undefined;
    });
  }

  of(database: string): Map<string, string> {
    const names = this.contents.get(database) ?? new Map<string, string>();
    this.contents.set(database, names);
    return names;
  }

  all(): string[] {
    return [...this.contents.values()].flatMap((names) => [...names.values()]).sort();
  }

  async #step(change: () => void): Promise<void> {
    await Promise.resolve();
    if (this.#stepsLeft <= 0) throw new Crash('before');
    change();
    this.#stepsLeft -= 1;
    if (this.#stepsLeft <= 0) throw new Crash('after');
  }
}

const names = { live: 'live', fresh: 'fresh', keepAs: 'kept' };
const someNames = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'v1', 'v2'), { minLength: 1, maxLength: 5 });

describe('swapping collection by collection', () => {
  test('puts the fresh ones in the place of the old ones, and keeps those', async () => {
    const server = new Names({ live: ['a', 'b', 'v1'], fresh: ['b', 'c'] });
    await beginSwap(server, names);
    expect(Object.fromEntries(server.of('live'))).toEqual({ b: 'fresh.b', c: 'fresh.c' });
    expect(Object.fromEntries(server.of('kept'))).toEqual({ a: 'live.a', b: 'live.b', v1: 'live.v1' });
    expect(server.of('fresh').size).toBe(0);
  });

  test('loses nothing when it dies at any step, and is finished by whoever comes next', async () => {
    await fc.assert(
      fc.asyncProperty(
        someNames,
        someNames,
        fc.array(fc.nat({ max: 12 }), { maxLength: 5 }),
        async (old, fresh, deaths) => {
          const server = new Names({ live: old, fresh });
          const before = server.all();
          let begun = false;
          for (const steps of [...deaths, Number.POSITIVE_INFINITY]) {
            server.dieAfter(steps);
            try {
              if (!(await resumeSwap(server, 'fresh')) && (!begun || server.of('fresh').size > 0)) {
                await beginSwap(server, names);
              }
            } catch (error) {
              if (!(error instanceof Crash)) throw error;
            }
            begun ||= (await server.readJournal()) !== undefined || server.of('kept').size > 0;
            expect(server.all()).toEqual(before);
          }
          expect([...server.of('live').values()].sort()).toEqual(fresh.map((name) => `fresh.${name}`).sort());
          expect(server.of('fresh').size).toBe(0);
        },
      ),
    );
  });

  test('does not overwrite what somebody writes under a name that became free', async () => {
    const server = new Names({ live: ['a'], fresh: ['a'] });
    server.onMove = () => {
      if (server.of('kept').has('a')) server.of('live').set('a', 'by the application');
      server.onMove = undefined;
    };
    await beginSwap(server, names);
    expect(Object.fromEntries(server.of('live'))).toEqual({ a: 'fresh.a' });
    expect(Object.fromEntries(server.of('kept'))).toEqual({
      a: 'live.a',
      [`a${LATE_SUFFIX}`]: 'by the application',
    });
  });

  test('a rename keeps nothing', async () => {
    const server = new Names({ fresh: ['a'] });
    await beginSwap(server, { ...names, keepAs: null });
    expect(Object.fromEntries(server.of('live'))).toEqual({ a: 'fresh.a' });
  });

  test('says that nothing had begun', async () => {
    expect(await resumeSwap(new Names({ fresh: ['a'] }), 'fresh')).toBe(false);
  });
});
