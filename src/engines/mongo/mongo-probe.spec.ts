import { describe, expect, it } from 'vitest';

import type { DumpScope } from '../engine.js';
import { warnOfHistory, warnOfTool } from './mongo-probe.js';
import type { MongoFacts, Topology } from './mongo-server-facts.js';

const serverOf = (topology: Topology): MongoFacts => ({
  version: '8.0.4',
  major: 8,
  details: {
    topology,
    replica_set: topology === 'replica-set' ? 'rs0' : null,
    is_primary: true,
    ferretdb: null,
    feature_compatibility: '8.0',
    max_write_batch: 100_000,
  },
});

describe('what the tool means for a backup', () => {
  it.each<[string, string, DumpScope, Topology, boolean, string[]]>([
    ['built in, as mongodump is not here', 'builtin', {}, 'standalone', false, ['tools-missing']],
    ['built in, as it was asked for', 'builtin', { tool: 'builtin' }, 'standalone', false, []],
    ['mongodump of a database of a replica set', 'mongodump', {}, 'replica-set', false, ['no-snapshot']],
    ['mongodump of a whole replica set, with its oplog', 'mongodump', {}, 'replica-set', true, []],
    ['mongodump of a standalone server, which is warned of anyway', 'mongodump', {}, 'standalone', false, []],
  ])('%s', (_, tool, scope, topology, isWhole, codes) => {
    const warnings = warnOfTool(tool, scope, serverOf(topology), isWhole);
    expect(warnings.map(({ code }) => code)).toEqual(codes);
  });
});

describe('how long the server remembers the moment of a snapshot', () => {
  const GB = 1e9;
  it.each<[string, string, Topology, number, number, string[]]>([
    ['a small database', 'builtin', 'replica-set', 5 * GB, 300, []],
    ['one that takes longer', 'builtin', 'replica-set', 7 * GB, 300, ['history-too-short']],
    ['the same, where the server remembers for an hour', 'builtin', 'replica-set', 7 * GB, 3600, []],
    ['mongodump, which has no snapshot', 'mongodump', 'replica-set', 70 * GB, 300, []],
    ['a standalone server, which has none either', 'builtin', 'standalone', 70 * GB, 300, []],
  ])('%s', (_, tool, topology, sizeBytes, seconds, codes) => {
    const warnings = warnOfHistory(tool, serverOf(topology), sizeBytes, seconds);
    expect(warnings.map(({ code }) => code)).toEqual(codes);
  });
});
