import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';

import type { ContentFacts } from '../../src/engines/content-facts.ts';
import { EngineError } from '../../src/engines/engines.errors.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { connectionToMongo, mongoEngine } from '../engines/mongo-under-test.ts';
import {
  type FreshMongoDatabase,
  freshMongoDatabase,
  mongoServers,
  newestMongoServer,
} from '../support/mongo-servers.ts';
import { often, randoms, SEED } from './intensity.ts';

const RUNS = often(500, 10_000);
const RESTORES = often(100, 2000);
/** So many run at the same time. */
const LANES = 8;

/** Ways to end without having made the dump. What is last has to be found out by the bytes themselves. */
const BAD_ENDS = [
  'exits 3',
  'is killed',
  'closes its output early and exits 3',
  'says Failed',
  'exits 0 too early',
] as const;
const BAD_RESTORES = ['exits 3', 'is killed', 'says that documents failed', 'exits 0 too early'] as const;

/** Stands in for `mongodump` and `mongorestore`: writes or reads so many bytes of an archive, and ends as it is told. */
const SCRIPT = `#!/bin/sh
here=\${0%/*}
case "$1" in --version) echo "\${0##*/} version: 100.0.0"; exit 0;; esac
read -r bytes way < "$here/ending"
case "$0" in
  *mongodump) head -c "$bytes" "$here/../archive";;
  *) head -c "$bytes" > /dev/null;;
esac
case "$way" in
  'exits 3') exit 3;;
  'is killed') kill -9 $$;;
  'closes its output early and exits 3') exec >&-; exit 3;;
  'says Failed') echo "2026-01-01T00:00:00.000+0000	Failed: something" >&2; exit 1;;
  'says that documents failed')
    cat > /dev/null
    echo "2026-01-01T00:00:00.000+0000	7 document(s) restored successfully. 3 document(s) failed to restore." >&2;;
  whole) cat > /dev/null;;
esac
exit 0
`;

describe.runIf(mongoServers().length > 0)('a tool of MongoDB that ends badly', () => {
  let folder: string;
  let source: FreshMongoDatabase;
  let whole: Awaited<ReturnType<typeof dumped>>;
  const lanes: { folder: string; engine: MongoEngine }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-fake-'));
    source = await freshMongoDatabase(newestMongoServer(), 'dies');
    for (const name of ['a', 'b'])
      await source.db.collection(name).insertMany(Array.from({ length: 500 }, (_, n) => ({ n, name })));
    const connection = connectionToMongo(newestMongoServer(), source.name);
    whole = await dumped(mongoEngine(folder), connection, { hashContent: true });
    await writeFile(join(folder, 'archive'), whole.bytes);
    for (let lane = 0; lane < LANES; lane += 1) {
      const own = await mkdtemp(join(folder, 'lane-'));
      for (const tool of ['mongodump', 'mongorestore']) {
        await writeFile(join(own, tool), SCRIPT);
        await chmod(join(own, tool), 0o755);
      }
      lanes.push({ folder: own, engine: mongoEngine(join(folder, 'work'), [own]) });
    }
  });
  afterAll(async () => {
    await source?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function dump(
    { engine, folder: own }: (typeof lanes)[number],
    way: string,
    bytes: number,
  ): Promise<ContentFacts> {
    await writeFile(join(own, 'ending'), `${bytes} ${way}\n`);
    const connection = connectionToMongo(newestMongoServer(), source.name);
    const made = await engine.dump(connection, { tool: 'mongodump', hashContent: true }, plainCall());
    made.bytes.resume();
    await finished(made.bytes);
    return await made.content;
  }

  /** Does work so many times, in all lanes; gives what became of it, by the way in which the tool ended. */
  async function manyTimes(
    runs: number,
    ways: readonly string[],
    salt: number,
    work: (lane: (typeof lanes)[number], way: string, bytes: number) => Promise<unknown>,
  ): Promise<Record<string, Set<string>>> {
    onTestFailed(() => void process.stderr.write(`repeat with BACKSTOP_SEED=${SEED}\n`));
    const random = randoms(salt);
    const found: Record<string, Set<string>> = {};
    let left = runs;
    const run = async (lane: (typeof lanes)[number]): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const way = ways[random(ways.length)] ?? '';
        // All of the bytes, too, unless what comes after them is a good end.
        const bytes = random(whole.bytes.length + (way === 'exits 0 too early' ? 0 : 1));
        const outcome = await work(lane, way, bytes).catch((error: unknown) => error);
        const word = outcome instanceof EngineError ? outcome.code : `no error of ours: ${String(outcome)}`;
        (found[way] ??= new Set()).add(word);
      }
    };
    await Promise.all(lanes.map(run));
    return found;
  }

  test('is believed when it ends well: the fake is as good as the true one', async () => {
    const content = await dump(lanes[0] ?? expect.fail(), 'whole', whole.bytes.length);
    expect(content).toEqual(whole.content);
  });

  test(`while it dumps, at a random byte, ${RUNS} times: no dump ends well`, async () => {
    const found = await manyTimes(RUNS, BAD_ENDS, 3, dump);
    const { 'exits 0 too early': early, ...others } = found;
    expect(others).toEqual({
      'exits 3': new Set(['dump-failed']),
      'is killed': new Set(['dump-failed']),
      'closes its output early and exits 3': new Set(['dump-failed']),
      'says Failed': new Set(['dump-failed']),
    });
    expect([...(early ?? [])].filter((code) => !/^archive-(foreign|unreadable)$/.test(code))).toEqual([]);
  });

  test(`while it restores, after a random byte, ${RESTORES} times: no restore ends well`, async () => {
    await using target = await freshMongoDatabase(newestMongoServer(), 'dies_to');
    const connection = connectionToMongo(newestMongoServer(), target.name);
    const choice = { format: 'archive', workDir: folder } as const;
    const found = await manyTimes(RESTORES, BAD_RESTORES, 4, async ({ engine, folder: own }, way, bytes) => {
      await writeFile(join(own, 'ending'), `${bytes} ${way}\n`);
      await engine.restore(connection, piecesOf(whole.bytes), choice, plainCall());
    });
    const codes = Object.values(found).flatMap((set) => [...set]);
    expect(codes.filter((code) => code !== 'restore-failed')).toEqual([]);
  });
});
