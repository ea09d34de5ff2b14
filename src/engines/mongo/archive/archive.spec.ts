import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { ArchiveForeignError, ArchiveUnreadableError } from '../../tools.errors.js';
import { documentsOf, readArchiveEvents } from './archive-events.js';
import { ArchiveReader } from './archive-reader.js';
import { ArchiveWriter } from './archive-writer.js';
import {
  LARGEST_DOCUMENT_BYTES,
  type ArchiveContent,
  type ArchiveEvent,
  type ArchivePrelude,
  nameOf,
  type Namespace,
} from './archive.js';
import { ContentHash } from './content-hash.js';
import { namespaceHeaderBytes } from './frame-documents.js';

const orders: Namespace = { database: 'shop', collection: 'orders' };
const dotted: Namespace = { database: 'shop', collection: '-ä.$"\' b' };
const view: Namespace = { database: 'shop', collection: 'a view' };
const weather: Namespace = { database: 'shop', collection: 'weather' };
const buckets: Namespace = { database: 'shop', collection: 'system.buckets.weather' };

const PRELUDE: ArchivePrelude = {
  header: { concurrentCollections: 4, formatVersion: '0.1', serverVersion: '8.0.4', toolVersion: '100.13.0' },
  entries: [
    { ...orders, metadata: '{"indexes":[]}', size: 0, type: 'collection' },
    { ...dotted, metadata: '', size: 0, type: '' },
    { ...view, metadata: '{}', size: 0, type: 'view' },
    { ...weather, metadata: '{}', size: 0, type: 'timeseries' },
  ],
};

const documents = (...values: BSON.Document[]): Buffer =>
  Buffer.concat(values.map((value) => BSON.serialize(value)));

/** Two collections in turns, an empty view, a time series; and where each frame begins. */
function sample(): { bytes: Buffer; preludeBytes: number; boundaries: number[]; pieces: Uint8Array[] } {
  const writer = new ArchiveWriter();
  const prelude = writer.prelude(PRELUDE);
  const body = [
    ...writer.documents(orders, documents({ _id: 1, what: 'book' }, { _id: 2, what: 'pen', price: 3.5 })),
    ...writer.documents(dotted, documents({})),
    ...writer.end(view),
    ...writer.documents(orders, documents({ _id: 3, note: 'x'.repeat(300) })),
    ...writer.documents(buckets, documents({ control: { version: 1 } })),
    ...writer.end(orders),
    ...writer.documents(dotted, documents({ ä: [true, null] })),
    ...writer.end(dotted),
    ...writer.end(buckets),
  ];
  const pieces = [...prelude, ...body];
  const boundaries = [0];
  for (const piece of pieces) boundaries.push((boundaries.at(-1) ?? 0) + piece.length);
  return { bytes: Buffer.concat(pieces), preludeBytes: Buffer.concat(prelude).length, boundaries, pieces };
}

async function read(bytes: Buffer, chunkBytes = bytes.length, options = {}): Promise<ArchiveContent> {
  const reader = new ArchiveReader(options);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  const passed = buffer(reader);
  await Promise.all([passed, pipeline(Readable.from(chunks, { objectMode: false }), reader)]);
  expect((await passed).equals(bytes)).toBe(true);
  return reader.content;
}

/** How reading ends: the content, or the error. Anything but an error of the domain is a fault of ours. */
async function outcome(
  bytes: Buffer,
): Promise<ArchiveContent | ArchiveUnreadableError | ArchiveForeignError> {
  try {
    return await read(bytes, 64);
  } catch (error) {
    if (error instanceof ArchiveUnreadableError || error instanceof ArchiveForeignError) return error;
    throw error;
  }
}

async function mustBeRefused(bytes: Buffer, what: string): Promise<void> {
  expect(await outcome(bytes), what).toBeInstanceOf(Error);
}

async function eventsOf(
  bytes: Buffer,
  limits = { documents: 2, bytes: 1000 },
  chunkBytes = 50,
): Promise<ArchiveEvent[]> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, n) =>
    bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes),
  );
  return await all(readArchiveEvents(Readable.from(chunks, { objectMode: false }), limits));
}

async function all(events: AsyncIterable<ArchiveEvent>): Promise<ArchiveEvent[]> {
  const taken: ArchiveEvent[] = [];
  for await (const event of events) taken.push(event);
  return taken;
}

describe('a whole archive', () => {
  it('passes unchanged, and is counted, however it is cut', async () => {
    const { bytes } = sample();
    for (const chunkBytes of [1, 2, 3, 7, 64, bytes.length]) {
      const { namespaces, plainBytes, prelude } = await read(bytes, chunkBytes);
      expect(plainBytes).toBe(bytes.length);
      expect(prelude).toEqual(PRELUDE);
      const counted = namespaces.map((item) => [nameOf(item), item.documents, item.bytes]);
      expect(counted).toEqual([
        ['shop.a view', 0, 0],
        ['shop.orders', 3, 397],
        ['shop.-ä.$"\' b', 2, 26],
        ['shop.system.buckets.weather', 1, 32],
      ]);
    }
  });

  it('may be of no collections', async () => {
    const bytes = Buffer.concat(new ArchiveWriter().prelude({ ...PRELUDE, entries: [] }));
    expect((await read(bytes)).namespaces).toEqual([]);
  });

  it('may have a segment without documents, as mongodump writes it for an empty collection', async () => {
    const writer = new ArchiveWriter();
    const entries = PRELUDE.entries.slice(0, 1);
    const bytes = Buffer.concat([
      ...writer.prelude({ ...PRELUDE, entries }),
      namespaceHeaderBytes({ ...orders, isEnd: false, crc: 0n }),
      Buffer.alloc(4, 0xff),
      ...writer.end(orders),
    ]);
    expect((await read(bytes)).namespaces).toEqual([{ ...orders, documents: 0, bytes: 0 }]);
  });

  it('has time series beside themselves before MongoDB 8.3, and in themselves from then on', async () => {
    const entries = PRELUDE.entries.slice(3);
    const write = (serverVersion: string, namespace: Namespace): Buffer => {
      const writer = new ArchiveWriter();
      const header = { ...PRELUDE.header, serverVersion };
      return Buffer.concat([...writer.prelude({ header, entries }), ...writer.end(namespace)]);
    };
    await read(write('8.2.9', buckets));
    await read(write('8.3.0', weather));
    await read(write('10.0.0', weather));
    await mustBeRefused(write('8.3.0', buckets), 'buckets of a server that has none');
  });

  it('has a content hash that does not depend on the order of documents nor on the cuts', async () => {
    const values = [{ a: 1 }, { b: 'x'.repeat(100) }, { a: 1 }];
    const write = (order: number[]): Buffer => {
      const writer = new ArchiveWriter();
      return Buffer.concat([
        ...writer.prelude({ ...PRELUDE, entries: PRELUDE.entries.slice(0, 1) }),
        ...order.flatMap((n) => writer.documents(orders, documents(values[n] ?? {}))),
        ...writer.end(orders),
      ]);
    };
    const hashOf = async (order: number[], chunkBytes: number): Promise<string | undefined> =>
      (await read(write(order), chunkBytes, { hashContent: true })).namespaces[0]?.contentHash;
    const direct = new ContentHash();
    for (const value of values) direct.add(BSON.serialize(value));
    expect(await hashOf([0, 1, 2], 10_000)).toBe(direct.toString());
    expect(await hashOf([1, 2, 0], 7)).toBe(direct.toString());
    expect(await hashOf([0, 1], 7)).not.toBe(direct.toString());
  });

  it('of any documents in any turns, cut anywhere, is given out as it was put in', async () => {
    const step = fc.record({
      to: fc.constantFrom(orders, dotted),
      values: fc.array(fc.dictionary(fc.string(), fc.string())),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step), fc.integer({ min: 1, max: 200 }), async (steps, chunkBytes) => {
        const writer = new ArchiveWriter();
        const entries = PRELUDE.entries.slice(0, 2);
        const bytes = Buffer.concat([
          ...writer.prelude({ ...PRELUDE, entries }),
          ...steps.flatMap(({ to, values }) => writer.documents(to, documents(...values))),
          ...writer.end(orders),
          ...writer.end(dotted),
        ]);
        await read(bytes, chunkBytes);
        const events = await eventsOf(bytes, { documents: 3, bytes: 100 }, chunkBytes);
        for (const namespace of [orders, dotted]) {
          const put = steps.filter(({ to }) => to === namespace).flatMap(({ values }) => values);
          const given = events.flatMap((event) =>
            event.kind === 'documents' && nameOf(event.namespace) === nameOf(namespace) ? [event] : [],
          );
          expect(Buffer.concat(given.map((event) => event.bytes)).equals(documents(...put))).toBe(true);
          expect(given.every(({ count }) => count <= 3)).toBe(true);
          expect(given.reduce((sum, { count }) => sum + count, 0)).toBe(put.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the events of an archive', () => {
  it('are its prelude, whole documents, and the ends', async () => {
    const events = await eventsOf(sample().bytes);
    expect(events.map(({ kind }) => kind).join(' ')).toBe(
      'prelude documents documents end documents documents end documents end end',
    );
    const first = events.find((event) => event.kind === 'documents');
    expect([...documentsOf(first?.bytes ?? Buffer.of())].map((one) => BSON.deserialize(one))).toEqual([
      { _id: 1, what: 'book' },
      { _id: 2, what: 'pen', price: 3.5 },
    ]);
  });

  it('throw where the archive is cut off, and destroy its stream', async () => {
    const { bytes } = sample();
    const source = Readable.from([bytes.subarray(0, -30)], { objectMode: false });
    await expect(all(readArchiveEvents(source, { documents: 9, bytes: 9 }))).rejects.toThrow(
      ArchiveUnreadableError,
    );
    expect(source.destroyed).toBe(true);
  });

  it('destroy the stream when nobody wants more', async () => {
    const source = Readable.from([sample().bytes], { objectMode: false });
    for await (const event of readArchiveEvents(source, { documents: 9, bytes: 9 })) {
      expect(event.kind).toBe('prelude');
      break;
    }
    expect(source.destroyed).toBe(true);
  });
});

describe('a damaged archive is refused', () => {
  const { bytes, preludeBytes, boundaries, pieces } = sample();
  /** Repeatable: a failure names its number. */
  const random = (seed: number): number => (Math.imul(seed ^ (seed >>> 15), 0x2c1b_3c6d) >>> 0) / 2 ** 32;

  it('when it is cut off at any frame, or anywhere', async () => {
    const places = new Set(boundaries.slice(0, -1));
    for (let n = 0; n < 1000; n += 1) places.add(Math.floor(random(n + 1) * bytes.length));
    for (const place of places) await mustBeRefused(bytes.subarray(0, place), `cut at ${place}`);
  });

  it('when any bit of it behind the prelude is another', async () => {
    for (let n = 0; n < 1000; n += 1) {
      const place = preludeBytes + Math.floor(random(n + 7919) * (bytes.length - preludeBytes));
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ (1 << (n % 8));
      await mustBeRefused(damaged, `bit ${n % 8} of byte ${place}`);
    }
  });

  it('or, in the prelude, at least holds the same documents', async () => {
    for (let place = 0; place < preludeBytes; place += 1) {
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ (1 << (place % 8));
      const found = await outcome(damaged);
      if (!(found instanceof Error))
        expect(found.namespaces, `byte ${place}`).toEqual((await read(bytes)).namespaces);
    }
  });

  it('when a length is any other number', async () => {
    for (const boundary of boundaries.slice(1, -1)) {
      const right = bytes.readUInt32LE(boundary);
      const lengths = [
        0,
        1,
        4,
        5,
        right - 1,
        right + 1,
        0x7f_ff_ff_ff,
        0x80_00_00_00,
        0xff_ff_ff_fe,
        0xff_ff_ff_ff,
      ];
      for (const length of lengths.filter(
        (length) => length !== right && length >= 0 && length <= 0xff_ff_ff_ff,
      )) {
        const damaged = Buffer.from(bytes);
        damaged.writeUInt32LE(length, boundary);
        await mustBeRefused(damaged, `${length} for ${right} at ${boundary}`);
      }
    }
  });

  it('when a frame is missing, or there twice, or two have changed places', async () => {
    for (let n = 0; n < pieces.length; n += 1) {
      await mustBeRefused(Buffer.concat(pieces.toSpliced(n, 1)), `without piece ${n}`);
      await mustBeRefused(
        Buffer.concat(pieces.toSpliced(n, 0, pieces[n] ?? Buffer.of())),
        `piece ${n} twice`,
      );
    }
    const [first, second] = [documents({ n: 1 }), documents({ n: 2 })];
    const swapped = Buffer.from(sampleOf(first, second));
    swapped.set(second, swapped.indexOf(first));
    swapped.set(first, swapped.lastIndexOf(second));
    await mustBeRefused(swapped, 'documents that changed places');
  });

  it('when a document is none, although its checksum is right', async () => {
    const unended = BSON.serialize({ a: 1 });
    unended[unended.length - 1] = 1;
    const tooLarge = Buffer.alloc(LARGEST_DOCUMENT_BYTES + 1);
    tooLarge.writeUInt32LE(tooLarge.length);
    const wrong = [unended, tooLarge, Buffer.from([4, 0, 0, 0])];
    for (const document of wrong)
      await mustBeRefused(sampleOf(Buffer.from(document)), `${document.length} bytes`);
    const largest = Buffer.alloc(LARGEST_DOCUMENT_BYTES);
    largest.writeUInt32LE(largest.length);
    expect((await read(sampleOf(largest))).namespaces[0]?.documents).toBe(1);
  });

  it('when its list names a collection twice', async () => {
    const entries = [...PRELUDE.entries.slice(0, 1), ...PRELUDE.entries.slice(0, 1)];
    const writer = new ArchiveWriter();
    await mustBeRefused(
      Buffer.concat([...writer.prelude({ ...PRELUDE, entries }), ...writer.end(orders)]),
      'orders twice',
    );
  });

  it('when something follows its end', async () => {
    await mustBeRefused(Buffer.concat([bytes, Buffer.of(0)]), 'a byte');
    await mustBeRefused(Buffer.concat([bytes, bytes]), 'itself');
  });

  it('without reserving what a hostile length promises', async () => {
    const hostile = Buffer.concat([bytes.subarray(0, 4), Buffer.from([0, 0x40, 0, 1])]);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => {
      const reader = new ArchiveReader();
      reader.resume();
      reader.write(hostile);
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    for (const reader of readers) reader.destroy();
    // A list of collections that never ends is refused, not kept.
    const entry = BSON.serialize({
      db: 'd',
      collection: 'c',
      metadata: 'x'.repeat(16_000_000),
      size: 0,
      type: '',
    });
    const header = pieces.slice(0, 2);
    const endless = function* (): Generator<Uint8Array> {
      yield* header;
      for (;;) yield entry;
    };
    const reader = new ArchiveReader();
    reader.resume();
    await expect(pipeline(Readable.from(endless(), { objectMode: false }), reader)).rejects.toThrow(
      /does not end/,
    );
  });

  it.each([
    ['nothing', '', /ends within its first four bytes/],
    ['a dump of PostgreSQL', 'PGDMP\u0001\u000e', /is not an archive of mongodump/],
    ['gzip', '\u001f\u008b\u0008\u0000', /compressed with gzip/],
  ])('and %s is none', async (_what, text, message) => {
    expect(await outcome(Buffer.from(text, 'latin1'))).toMatchObject({
      message: expect.stringMatching(message),
    });
  });

  function sampleOf(...batches: Buffer[]): Buffer {
    const writer = new ArchiveWriter();
    return Buffer.concat([
      ...writer.prelude({ ...PRELUDE, entries: PRELUDE.entries.slice(0, 1) }),
      ...batches.flatMap((batch) => writer.documents(orders, batch)),
      ...writer.end(orders),
    ]);
  }
});
