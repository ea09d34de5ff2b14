import type { BSON } from 'mongodb';

import { driver } from './mongo-driver.js';

/** What a server answered to `find` or `getMore`, its documents still as the bytes that came. */
export interface CursorAnswer {
  /** Whole documents, one after the other. A view into the answer's own bytes. */
  documents: Buffer;
  count: number;
  /** 0 when there are no more. */
  cursorId: bigint;
  /** The moment that a snapshot read is of. */
  clusterTime?: BSON.Timestamp;
}

const LENGTH_BYTES = 4;
const BATCHES = new Set(['firstBatch', 'nextBatch']);

/** BSON types by their numbers, as far as the answer of a cursor has them, with the size of those that have a fixed one. */
const ARRAY = 0x04;
const TIMESTAMP = 0x11;
const INT64 = 0x12;
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0x01: 8,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
};
const STRING = 0x02;
const DOCUMENT = 0x03;

/**
 * Takes the documents out of the field `cursor` of an answer, without decoding one: a batch is a BSON array, whose elements have
 * their number in front of them. The documents are moved together **within `cursor`**, which must belong to nobody else.
 * Throws an `Error` when the bytes are no such answer.
 */
export function readCursorAnswer(cursor: Buffer): CursorAnswer {
  const answer: CursorAnswer = { documents: cursor.subarray(0, 0), count: 0, cursorId: 0n };
  const end = endOf(cursor, 0, cursor.length);
  let at = LENGTH_BYTES;
  while (at < end) {
    const type = cursor[at] ?? 0;
    const nameEnd = zeroAfter(cursor, at + 1, end);
    const name = cursor.toString('latin1', at + 1, nameEnd);
    const value = nameEnd + 1;
    at = value + sizeOf(type, cursor, value, end);
    if (type === ARRAY && BATCHES.has(name)) Object.assign(answer, moveTogether(cursor, value, at));
    else if (type === INT64 && name === 'id') answer.cursorId = cursor.readBigInt64LE(value);
    else if (type === TIMESTAMP && name === 'atClusterTime')
      answer.clusterTime = new (driver().BSON.Timestamp)(cursor.readBigUInt64LE(value));
  }
  return answer;
}

/** The array begins at `start` and ends at `stop`. */
function moveTogether(bytes: Buffer, start: number, stop: number): Pick<CursorAnswer, 'documents' | 'count'> {
  const end = endOf(bytes, start, stop);
  let from = start + LENGTH_BYTES;
  let to = start;
  let count = 0;
  while (from < end) {
    if (bytes[from] !== DOCUMENT) throw unreadable();
    const document = zeroAfter(bytes, from + 1, end) + 1;
    const next = endOf(bytes, document, end) + 1;
    bytes.copyWithin(to, document, next);
    to += next - document;
    from = next;
    count += 1;
  }
  return { documents: bytes.subarray(start, to), count };
}

/** Where the closing zero of a document or array is that begins at `at`. */
function endOf(bytes: Buffer, at: number, limit: number): number {
  if (at + LENGTH_BYTES > limit) throw unreadable();
  const end = at + bytes.readUInt32LE(at) - 1;
  if (end < at + LENGTH_BYTES || end >= limit || bytes[end] !== 0) throw unreadable();
  return end;
}

function zeroAfter(bytes: Buffer, at: number, limit: number): number {
  let zero = at;
  while (zero < limit && bytes[zero] !== 0) zero += 1; // `indexOf` would search the whole answer
  if (zero >= limit) throw unreadable();
  return zero;
}

function sizeOf(type: number, bytes: Buffer, at: number, limit: number): number {
  const fixed = FIXED_BYTES[type];
  if (fixed !== undefined) return fixed;
  if (type === STRING) return LENGTH_BYTES + bytes.readUInt32LE(at);
  if (type === DOCUMENT || type === ARRAY) return endOf(bytes, at, limit) + 1 - at;
  throw unreadable();
}

function unreadable(): Error {
  return new Error('the server answered a cursor in a form that is not known here');
}
