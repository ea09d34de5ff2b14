import { describe, expect, test } from 'vitest';

import { mayWriteAnywhere, warnOfServer } from './mongo-probe.js';
import { describeServer } from './mongo-server-facts.js';

const codesOf = (build: object, hello: object): string[] =>
  warnOfServer(describeServer({ ...build }, { ...hello }, null)).map(({ code }) => code);

describe('what a server says of itself', () => {
  test.each([
    [{ version: '8.0.4' }, { setName: 'rs0' }, 'replica-set', []],
    [{ version: '8.0.4' }, {}, 'standalone', ['no-snapshot']],
    [{ version: '8.0.4' }, { msg: 'isdbgrid' }, 'sharded', ['sharded']],
    [{ version: '4.4.1' }, { setName: 'rs0' }, 'replica-set', ['server-old']],
    [{ version: '7.0.77', ferretdb: { version: 'v2.7.0' } }, {}, 'standalone', ['no-snapshot']],
  ])('%j %j is %s', (build, hello, topology, warnings) => {
    expect(describeServer(build, hello, null).details.topology).toBe(topology);
    expect(codesOf(build, hello)).toEqual(warnings);
  });

  test('FerretDB takes fewer operations at once than it says', () => {
    const hello = { maxWriteBatchSize: 100_000 };
    const ferret = describeServer({ version: '7.0.77', ferretdb: { version: 'v2.7.0' } }, hello, null);
    expect(ferret.details.max_write_batch).toBe(25_000);
    expect(describeServer({ version: '8.0.0' }, hello, null).details.max_write_batch).toBe(100_000);
  });
});

describe('whether a user may fill a new database', () => {
  test.each([
    [true, { resource: { db: '', collection: '' }, actions: ['find', 'insert'] }],
    [true, { resource: { anyResource: true }, actions: ['insert'] }],
    [false, { resource: { db: '', collection: '' }, actions: ['find'] }],
    [false, { resource: { db: 'shop', collection: '' }, actions: ['insert'] }],
  ])('%s: %j', (may, privilege) => {
    expect(mayWriteAnywhere([privilege])).toBe(may);
  });
});
