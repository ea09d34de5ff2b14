/**
 * `npm run demo`: the whole way of a backup on a real PostgreSQL server with a sample shop, the same on a MongoDB server where one can
 * be had, then the service keeps running to be looked at. With `--once` it ends after the tour. Whatever ends it (Ctrl-C, SIGTERM, a closed terminal, an error, the
 * death of the service), no process and no file of it stays.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { BackupView } from '../../src/backups/backup.view.ts';
import { seconds } from './figures.ts';
import { SHOP } from './sample-shop.ts';
import { setStage, type Stage } from './stage.ts';
import { StopRequestedError, StopSwitch } from './stop-switch.ts';
import { Terminal } from './terminal.ts';
import { takeTour } from './tour.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const DEFAULT_PORT = 8000;

const { values: options } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const terminal = new Terminal(process.stdout, process.env);
const stop = new StopSwitch(process.stdout);

process.exitCode = await demo();
stop.release();

/** Gives the exit code, when nothing is left running. */
async function demo(): Promise<number> {
  terminal.heading('Backstop', 'database backups that are proven to restore');
  let isTourOver = false;
  try {
    await using everything = new AsyncDisposableStack();
    await access(join(PROJECT, 'dist/main.js')).catch(() => {
      throw new Error('the service is not built; "npm run demo" does that first');
    });
    const wantedPort = Number(process.env['PORT'] ?? DEFAULT_PORT);
    const stage = await setStage(everything, { terminal, stop, project: PROJECT, wantedPort });
    const began = performance.now();
    const backup = await takeTour(stage).catch(async (error: unknown) => {
      throw await stage.service.explain(error);
    });
    isTourOver = true;
    showClosing(stage, backup, (performance.now() - began) / 1000);
    if (!options.once) await stop.pulled();
    // What ends a demo that serves is either a wish or a misfortune, and only a wish is a good end.
    stop.signal.throwIfAborted();
  } catch (error) {
    return explain(stop.signal.aborted ? stop.signal.reason : error, isTourOver);
  }
  return 0;
}

function showClosing({ service, server }: Stage, backup: BackupView, tourSeconds: number): void {
  const archive = `${service.url}/backups/${backup.filename}`;
  terminal.links([
    ['API', `${service.url}/docs`],
    ['backup', archive],
    ['contents', `${archive}/contents`],
    ['manifest', `${archive}/manifest`],
    ['database', `postgres://${server.username}:${server.password}@${server.host}:${server.port}/${SHOP}`],
  ]);
  const proven = `Backed up, restored and proven in ${seconds(tourSeconds)}.`;
  terminal.box(options.once ? [proven] : [proven, 'Ctrl-C stops everything and leaves nothing behind.']);
}

/** Tells why the demo ended before its end; gives the exit code. */
function explain(reason: unknown, isTourOver: boolean): number {
  if (reason instanceof StopRequestedError) {
    terminal.line();
    terminal.note(`${reason.message}: stopped. Nothing is left running.`);
    return isTourOver ? 0 : reason.exitCode;
  }
  terminal.failed(reason instanceof Error ? reason.message : String(reason));
  return 1;
}
