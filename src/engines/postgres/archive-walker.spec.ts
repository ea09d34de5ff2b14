import { describe, expect, it } from 'vitest';

import { ArchiveUnreadableError } from '../tools.errors.js';
import { ArchiveWalker } from './archive-walker.js';

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32LE(value, 1);
  return bytes;
};
const piece = (text: string): Buffer => Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)]);

const HEAD = Buffer.from('table of contents');
const ROWS = Buffer.concat([Buffer.from([1]), int(7), piece('one\n'), piece('\u0001\u0003\u0000'), int(0)]);
const EMPTY = Buffer.concat([Buffer.from([1]), int(8), int(0)]);
const OBJECTS = Buffer.concat([
  Buffer.from([3]),
  int(9),
  int(16_400),
  piece('first'),
  piece('more'),
  int(0),
  int(16_401),
  int(0),
  int(0),
]);
const ARCHIVE = Buffer.concat([HEAD, ROWS, EMPTY, OBJECTS]);
const LAYOUT = { tocBytes: HEAD.length, intBytes: 4, blocks: 3 };

function walk(chunks: Buffer[]): void {
  const walker = new ArchiveWalker(LAYOUT);
  for (const chunk of chunks) walker.read(chunk);
  walker.end();
}

describe('ArchiveWalker', () => {
  it('finds an archive whole, wherever its chunks end', () => {
    for (let cut = 0; cut <= ARCHIVE.length; cut += 1)
      walk([ARCHIVE.subarray(0, cut), ARCHIVE.subarray(cut)]);
    walk([...ARCHIVE].map((byte) => Buffer.from([byte])));
  });

  it('refuses it cut anywhere', () => {
    for (let cut = 0; cut < ARCHIVE.length; cut += 1) {
      expect(() => walk([ARCHIVE.subarray(0, cut)]), `${cut} bytes`).toThrow(ArchiveUnreadableError);
    }
  });

  it.each([
    ['bytes after its end', Buffer.concat([ARCHIVE, Buffer.from('x')]), /other bytes follow/],
    [
      'a wrong byte where a block begins',
      Buffer.concat([HEAD, Buffer.from([9]), ROWS]),
      /begins with a wrong byte/,
    ],
    ['a missing block', Buffer.concat([HEAD, ROWS, EMPTY]), /has 2 blocks of data, and 3 are listed/],
    [
      'a negative length',
      Buffer.concat([HEAD, Buffer.from([1]), int(7), Buffer.from([1, 1, 0, 0, 0])]),
      /negative/,
    ],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => walk([bytes])).toThrow(reason);
  });
});
