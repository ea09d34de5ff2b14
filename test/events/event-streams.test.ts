import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import express, { type Response } from 'express';
import { expect, test } from 'vitest';

import { EventPruner } from '../../src/events/event-pruner.ts';
import { EventStreams } from '../../src/events/event-streams.ts';
import { ProgressSources } from '../../src/events/progress-sources.ts';
import { SseWriter } from '../../src/events/sse-writer.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { catalogKinds } from '../catalog/places.ts';
import { until } from '../support/until.ts';
import { event, type EventsUnderTest, freshEvents } from './events-under-test.ts';

/** A connection whose client reads only when it is told to. */
interface Client extends AsyncDisposable {
  response: Response;
  socket: Socket;
  text(): string;
}

async function connected(): Promise<Client> {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const app = express();
  app.get('/', (_request, response) => resolve(response));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  const response = await promise;
  return {
    response,
    socket,
    text: () => text,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function streamsOf(
  { queries, catalog, clock }: EventsUnderTest,
  sources = new ProgressSources(),
): EventStreams {
  const queue = new CatalogQueue(catalog, clock, readConfig({}), new TicketStore());
  return new EventStreams(queries, sources, queue, clock);
}

const buffered = (response: ServerResponse): number => response.writableLength;
const sqlite = catalogKinds()[0]!;

test('a listener who takes nothing holds back his own stream alone, in bounded memory, and is let go', async () => {
  await using room = await freshEvents(sqlite);
  await using client = await connected();
  const gone = new AbortController();
  const text = 'x'.repeat(20_000);
  await room.catalog.write(async (tx) => {
    for (let id = 0; id < 1500; id += 1)
      room.log.append(tx, event(`b${id}`, 'BackupQueued', { facts: { text } }));
  });
  const writer = new SseWriter(client.response, room.clock, gone.signal);
  client.socket.pause();
  const told = streamsOf(room).tell({ filter: {}, after: 0, progress: false }, writer, gone.signal);
  const result = told.then(
    () => 'ended',
    (error: unknown) => error,
  );
  // 30 MB are to be told; it stands as soon as the connection is full, with one entry at most in our hands.
  await until(
    'the stream to stand still',
    () => room.clock.sleeping === 1 && client.response.writableNeedDrain,
  );
  expect(buffered(client.response)).toBeLessThan(200_000);
  room.clock.advance(30_000);
  expect(await result).toMatchObject({ code: 'listener-too-slow' });
});

test('a silent stream shows every 15 seconds that it is there, and how far it has got', async () => {
  await using room = await freshEvents(sqlite);
  await using client = await connected();
  const gone = new AbortController();
  const writer = new SseWriter(client.response, room.clock, gone.signal);
  const filter = { names: ['BackupFailed'] as const };
  const told = streamsOf(room).tell({ filter, after: undefined, progress: true }, writer, gone.signal);
  await until('the first look', () => room.clock.sleeping === 1);
  await room.catalog.write(async (tx) => room.log.append(tx, event('unwanted')));
  await until('a heartbeat behind the unwanted event', () => {
    room.clock.advance(room.clock.sleeping === 1 ? 5000 : 0);
    return client.text().includes(': still here\nid: 1\n\n');
  });
  expect(client.text()).not.toContain('unwanted');
  gone.abort(new Error('gone'));
  await expect(told).rejects.toThrow('gone');
});

test('a listener who comes back too late is told that he has missed something', async () => {
  await using room = await freshEvents(sqlite);
  await using client = await connected();
  const { catalog, clock, log, queries } = room;
  await catalog.write(async (tx) => ['a', 'b', 'c'].forEach((id) => log.append(tx, event(id))));
  clock.advance(40 * 86_400_000);
  await new EventPruner(catalog, clock, readConfig({}), queries).prune();
  await catalog.write(async (tx) => log.append(tx, event('d')));
  const gone = new AbortController();
  const writer = new SseWriter(client.response, clock, gone.signal);
  const told = streamsOf(room).tell({ filter: {}, after: 1, progress: false }, writer, gone.signal);
  await until('the event', () => client.text().includes('event: BackupQueued\nid: 4\n'));
  expect(client.text()).toContain('event: EventsMissed\ndata: {"after":1,"oldest":4}\n');
  gone.abort(new Error('gone'));
  await expect(told).rejects.toThrow('gone');
});

test('progress is told when it changes, once a second at most', async () => {
  await using room = await freshEvents(sqlite);
  await using client = await connected();
  const sources = new ProgressSources();
  const report = {
    subject: { kind: 'backup' as const, id: 'b1' },
    database: { id: 'd1', name: 'shop' },
    ...{ phase: 'dumping', bytes: 0, bytesTotal: null, item: null, itemsDone: 0, itemsTotal: null },
  };
  sources.add(() => [{ ...report }]);
  const gone = new AbortController();
  const writer = new SseWriter(client.response, room.clock, gone.signal);
  const told = streamsOf(room, sources).tell(
    { filter: {}, after: undefined, progress: true },
    writer,
    gone.signal,
  );
  /** Ten seconds in which the work goes on all the while, and ten in which it stands. */
  for (let looks = 0; looks < 100; looks += 1) {
    await until('the next look', () => room.clock.sleeping === 1);
    if (looks < 50) report.bytes += 1;
    room.clock.advance(200);
  }
  await until('the last look', () => room.clock.sleeping === 1);
  const progress = client.text().match(/event: Progress/g) ?? [];
  expect(progress.length).toBeGreaterThanOrEqual(10);
  expect(progress.length).toBeLessThanOrEqual(12);
  gone.abort(new Error('gone'));
  await expect(told).rejects.toThrow('gone');
});
