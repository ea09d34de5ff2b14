import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { DomainError } from '../../src/errors/domain-error.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import { connectionTo, postgresEngine } from '../engines/postgres-under-test.ts';
import { rowsInArchive } from '../engines/rows-in-archive.ts';
import {
  type FreshDatabase,
  freshDatabase,
  newestPostgresServer,
  postgresServers,
} from '../support/postgres-servers.ts';
import { withWorkDir } from '../support/work-dir.ts';
import { BusyWriters } from './busy-writers.ts';
import { IS_SOAK, often } from './intensity.ts';

const RUNS = often(25, 100);
/** A dump that finds a table gone, or somebody waiting for its lock, is refused and tried again; not for ever. */
const MOST_REFUSALS = RUNS * 2;

describe.each(IS_SOAK ? postgresServers() : [newestPostgresServer()])(
  'PostgreSQL $major, while others insert, update, delete, truncate, create and drop as fast as they can',
  (server) => {
    let database: FreshDatabase;
    let writers: BusyWriters;
    beforeAll(async () => {
      database = await freshDatabase(server, 'concurrency');
      writers = await BusyWriters.start(server, database.name);
    });
    afterAll(async () => {
      await writers?.stop();
      await database?.drop();
    });

    test(`the manifest counts exactly what the archive holds, in ${RUNS} of ${RUNS} runs`, async () => {
      await using work = await withWorkDir();
      const engine = postgresEngine(server.clientBinDirs, work.dir);
      const refusals: string[] = [];
      const deeds = (): number => Object.values(writers.done).reduce((sum, n) => sum + n, 0);
      let fewest = Number.POSITIVE_INFINITY;
      for (let run = 0; run < RUNS;) {
        const before = deeds();
        try {
          const dump = await engine.dump(connectionTo(server, database.name), {}, plainCall());
          const bytes = Buffer.concat(await dump.bytes.toArray());
          const { items } = await dump.content;
          const counted = Object.fromEntries(items.map(({ name, rows }) => [name, rows]));
          expect(counted, `run ${run + 1}`).toEqual(await rowsInArchive(server, bytes));
          fewest = Math.min(fewest, deeds() - before);
          run += 1;
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          expect(error).toMatchObject({ retryable: true });
          refusals.push(error.code);
          expect(refusals.length, refusals.join(', ')).toBeLessThan(MOST_REFUSALS);
        }
      }
      // The truth would be cheap if nothing had moved meanwhile.
      expect(fewest).toBeGreaterThan(0);
      expect(Math.min(...Object.values(writers.done)), JSON.stringify(writers.done)).toBeGreaterThan(0);
    });
  },
);
