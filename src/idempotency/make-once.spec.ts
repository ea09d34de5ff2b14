import { describe, expect, it } from 'vitest';

import { IdempotencyKeyReusedError } from './idempotency.errors.js';
import { type KeyedMaking, makeOnce } from './make-once.js';

interface Row {
  createdAt: Date;
  said: string;
}

const now = new Date('2026-11-21T03:00:00Z');
const yesterday = new Date('2026-11-20T03:00:00Z');
const clock = { now: () => now };
const KEY_TAKEN = new Error('the key is taken');
const NAME_TAKEN = new Error('the name is taken');

/** A table of at most one row, and a request that says `said`. Each of `events` happens just before the next insert. */
class Table implements KeyedMaking<Row> {
  made = 0;

  constructor(
    readonly said: string,
    public row: Row | null = null,
    readonly events: (() => void)[] = [],
  ) {}

  async find(): Promise<Row | null> {
    return Promise.resolve(this.row);
  }

  async giveUp(row: Row): Promise<void> {
    expect(row).toBe(this.row);
    this.row = null;
    await Promise.resolve();
  }

  refuseUnlessFor(row: Row): void {
    if (row.said !== this.said) throw new IdempotencyKeyReusedError('another', {});
  }

  async make(): Promise<Row> {
    this.events.shift()?.();
    if (this.row !== null) return Promise.reject(KEY_TAKEN);
    this.made += 1;
    this.row = { createdAt: now, said: this.said };
    return Promise.resolve(this.row);
  }

  isKeyTaken(error: unknown): boolean {
    return error === KEY_TAKEN;
  }
}

describe('makeOnce', () => {
  it('makes the record of a new key', async () => {
    const table = new Table('a');
    expect(await makeOnce(table, clock)).toBe(table.row);
    expect(table.made).toBe(1);
  });

  it('gives the record that is there, and makes nothing', async () => {
    const row = { createdAt: now, said: 'a' };
    const table = new Table('a', row);
    expect(await makeOnce(table, clock)).toBe(row);
    expect(table.made).toBe(0);
  });

  it('refuses a request that says something else', async () => {
    const table = new Table('b', { createdAt: now, said: 'a' });
    await expect(makeOnce(table, clock)).rejects.toThrow(IdempotencyKeyReusedError);
    expect(table.made).toBe(0);
  });

  it.each(['a', 'b'])('has a key given up after a day, for whoever says %s', async (said) => {
    const table = new Table(said, { createdAt: yesterday, said: 'a' });
    expect(await makeOnce(table, clock)).toEqual({ createdAt: now, said });
    expect(table.made).toBe(1);
  });

  it('gives the record of the same request that was faster', async () => {
    const faster = { createdAt: now, said: 'a' };
    const table: Table = new Table('a', null, [() => (table.row = faster)]);
    expect(await makeOnce(table, clock)).toBe(faster);
    expect(table.made).toBe(0);
  });

  it('gives it also when it is in the way by its name', async () => {
    const faster = { createdAt: now, said: 'a' };
    const table: Table = new Table('a');
    table.make = async () => {
      table.row = faster;
      return Promise.reject(NAME_TAKEN);
    };
    expect(await makeOnce(table, clock)).toBe(faster);
  });

  it('refuses when another request was faster with the key', async () => {
    const table: Table = new Table('a', null, [() => (table.row = { createdAt: now, said: 'b' })]);
    await expect(makeOnce(table, clock)).rejects.toThrow(IdempotencyKeyReusedError);
  });

  it('begins anew when the record of the faster one has gone meanwhile', async () => {
    const table: Table = new Table('a');
    const { make } = table;
    table.make = async () => {
      table.make = make;
      return Promise.reject(KEY_TAKEN);
    };
    expect(await makeOnce(table, clock)).toBe(table.row);
    expect(table.made).toBe(1);
  });

  it('passes on what else keeps it from being made', async () => {
    const table = new Table('a');
    table.make = async () => Promise.reject(NAME_TAKEN);
    await expect(makeOnce(table, clock)).rejects.toBe(NAME_TAKEN);
  });
});
