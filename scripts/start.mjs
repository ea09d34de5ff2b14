// @ts-check
/**
 * `npm start` and `npm run dev`: the compiled service, told of the client tools that the set-up unpacked. Everything else is the
 * service's own configuration, from the environment and `.env`.
 */
import { delimiter } from 'node:path';

import { findPostgresClients } from './setup/postgres-clients.mjs';
import { foreground } from './setup/run.mjs';

const folders = Object.values(await findPostgresClients());
process.env['PG_BIN_DIRS'] = [process.env['PG_BIN_DIRS'], ...folders].filter(Boolean).join(delimiter);

if (process.argv[2] === '--watch') {
  // The terminal sends Ctrl-C to the compiler as well; wait for it.
  process.on('SIGINT', () => undefined);
  process.exitCode = await foreground('nest', ['start', '--watch']);
} else {
  // In this process, so that signals reach the service itself.
  await import(new URL('../dist/main.js', import.meta.url).href);
}
