import { describe, expect, test } from 'vitest';

import { type Candidate, type Caps, chooseNext } from './claim-rules.js';

const caps: Caps = {
  backup: { total: 2, perLane: 1 },
  restore: { total: 1, perLane: 1 },
  'backup-removal': { total: 1, perLane: 1 },
  retention: { total: 1, perLane: 1 },
  verification: { total: 1, perLane: 1 },
};

function ticket(id: string, more: Partial<Candidate> = {}): Candidate {
  return { id, kind: 'backup', lane: null, exclusiveKey: null, ...more };
}

describe('choosing the next ticket', () => {
  test.each<{ name: string; waiting: Candidate[]; running: Candidate[]; chosen: string | undefined }>([
    { name: 'takes the longest waiting', waiting: [ticket('a'), ticket('b')], running: [], chosen: 'a' },
    { name: 'gives none when none waits', waiting: [], running: [], chosen: undefined },
    {
      name: 'keeps the cap of a kind',
      waiting: [ticket('c')],
      running: [ticket('a'), ticket('b')],
      chosen: undefined,
    },
    {
      name: 'lets another kind run beside a full one',
      waiting: [ticket('c'), ticket('r', { kind: 'restore' })],
      running: [ticket('a'), ticket('b')],
      chosen: 'r',
    },
    {
      name: 'passes over a full lane to the next lane',
      waiting: [ticket('b', { lane: 'host:one' }), ticket('c', { lane: 'host:two' })],
      running: [ticket('a', { lane: 'host:one' })],
      chosen: 'c',
    },
    {
      name: 'does not let a restore block the safety backup of its own host',
      waiting: [ticket('b', { lane: 'host:one' })],
      running: [ticket('r', { kind: 'restore', lane: 'host:one' })],
      chosen: 'b',
    },
    {
      name: 'never runs one key twice at once',
      waiting: [ticket('b', { exclusiveKey: 'db1' }), ticket('c', { exclusiveKey: 'db2' })],
      running: [ticket('a', { exclusiveKey: 'db1' })],
      chosen: 'c',
    },
    {
      name: 'lets many without a key run at once',
      waiting: [ticket('b')],
      running: [ticket('a')],
      chosen: 'b',
    },
  ])('$name', ({ waiting, running, chosen }) => {
    expect(chooseNext(waiting, running, caps)?.id).toBe(chosen);
  });
});
