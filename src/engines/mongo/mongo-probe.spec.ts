import { describe, expect, it } from 'vitest';

import type { DumpScope } from '../engine.js';
import { warnOfTool } from './mongo-probe.js';
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
