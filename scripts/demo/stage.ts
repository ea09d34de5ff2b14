import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ApiClient } from './api-client.ts';
import { bytes, counted } from './figures.ts';
import { type SampleServer, startSampleServer } from './sample-server.ts';
import { fillShop, SHOP } from './sample-shop.ts';
import { freePort, ServiceProcess } from './service-process.ts';
import type { StopSwitch } from './stop-switch.ts';
import type { Terminal } from './terminal.ts';
import { timed } from './timed.ts';

/** What the tour plays on. */
export interface Stage {
  terminal: Terminal;
  api: ApiClient;
  server: SampleServer;
  service: ServiceProcess;
  /** Holds every file of the demo but the sample server's; thrown away at the end. */
  folder: string;
  signal: AbortSignal;
}

export interface StageChoice {
  terminal: Terminal;
  stop: StopSwitch;
  /** The project, built. */
  project: string;
  wantedPort: number;
}

/** Starts what the tour needs: a server with a shop in it, and the service. Whatever was started is handed to `everything`. */
export async function setStage(everything: AsyncDisposableStack, choice: StageChoice): Promise<Stage> {
  const { terminal, stop } = choice;
  const folder = await throwAwayFolder(everything);
  const server = await startShop(everything, choice);
  const service = await startService(everything, choice, folder, server);
  const api = new ApiClient(service.url, stop.signal);
  return { terminal, api, server, service, folder, signal: stop.signal };
}

async function throwAwayFolder(everything: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-demo-'));
  // For an end in which nothing can be awaited any more.
  const removeWithUs = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeWithUs);
  everything.defer(async () => {
    await rm(folder, { recursive: true, force: true });
    process.off('exit', removeWithUs);
  });
  return folder;
}

async function startShop(
  everything: AsyncDisposableStack,
  { terminal, stop }: StageChoice,
): Promise<SampleServer> {
  terminal.step('A sample shop, on a real PostgreSQL server');
  const [server, starting] = await timed(startSampleServer);
  everything.defer(server.stop);
  terminal.done(`PostgreSQL ${server.major} started, for this demo only`, starting);
  const [shop, filling] = await timed(() => fillShop(server, stop.signal));
  const size = `${counted(shop.tables, 'table')}, ${counted(shop.rows, 'row')}, ${bytes(shop.bytes)}`;
  terminal.done(`"${SHOP}" filled: ${size}`, filling);
  terminal.note('orders partitioned by month, jsonb, large objects, generated and identity');
  terminal.note('columns, enums, triggers, views, quoted names and text from Ada to 東京');
  return server;
}

async function startService(
  everything: AsyncDisposableStack,
  { terminal, stop, project, wantedPort }: StageChoice,
  folder: string,
  server: SampleServer,
): Promise<ServiceProcess> {
  terminal.step('Start Backstop');
  const port = await freePort(wantedPort);
  const [service, starting] = await timed(() =>
    ServiceProcess.start({ project, folder, port, pgBinDirs: server.clientFolders, signal: stop.signal }),
  );
  everything.defer(() => service.stop());
  void service.died.then((reason) => stop.pull(reason));
  terminal.done(`serving on ${service.url}`, starting);
  if (wantedPort !== 0 && port !== wantedPort)
    terminal.note(`Port ${wantedPort} is taken here, so it is ${port}.`);
  terminal.note(`catalog and archives in ${folder}, for this demo only`);
  return service;
}
