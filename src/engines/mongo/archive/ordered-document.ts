import { driver } from '../mongo-driver.js';

/**
 * A document with its fields in their order, at every depth. A JavaScript object moves names that look like integers to the front,
 * and an index on `{name: 1, "2024": 1}` is another one than on `{"2024": 1, name: 1}`. The driver takes a `Map` as it takes an object.
 * Values are the driver's BSON types, texts, booleans, `null`, lists, and documents of this kind.
 */
export type OrderedDocument = ReadonlyMap<string, unknown>;

/** BSON types by their numbers, as far as they hold others. */
const DOCUMENT = 0x03;
const ARRAY = 0x04;
const LENGTH_BYTES = 4;
const LEAF = { promoteValues: false, promoteLongs: false, bsonRegExp: true };

/**
 * Names of the fields that write one value ("MongoDB Extended JSON (v2)" and v1). `$regex` alone is the operator of a query, and
 * references (`$ref`, `$id`) are documents in BSON too.
 */
const VALUES = new Set([
  ...['$oid', '$symbol', '$numberInt', '$numberLong', '$numberDouble', '$numberDecimal', '$binary', '$uuid'],
  ...['$code', '$timestamp', '$regularExpression', '$date', '$minKey', '$maxKey', '$undefined', '$dbPointer'],
  ...['$code $scope', '$binary $type', '$regex $options'],
]);

/** A text of JSON, and the colon that makes it the name of a field. */
const TEXT_OR_NAME = /"([^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/gs;
/** In front of every name, no name looks like an integer, and none is `__proto__`. */
const MARK = '.';

/** Whether a value is a document, and not a list, text, number, … */
export function isOrderedDocument(value: unknown): value is OrderedDocument {
  return value instanceof Map;
}

/** Reads a document from the bytes of its BSON, which the driver gives when asked `raw`. Throws an `Error` when they are none. */
export function readBson(bytes: unknown): OrderedDocument {
  if (!(bytes instanceof Uint8Array)) throw new Error('the driver decoded what it was to give raw');
  return new Map(elementsOf(bytes));
}

/** Reads Extended JSON, canonical or relaxed: a document, or whatever else the text is. Throws when it is no such text. */
export function readExtendedJson(text: string): unknown {
  const marked = text.replaceAll(TEXT_OR_NAME, (whole, rest: string, colon: string | undefined) =>
    colon === undefined ? whole : `"${MARK}${rest}${colon}`,
  );
  return fromMarked(JSON.parse(marked));
}

/** The canonical Extended JSON of a value, fields in their order. */
export function writeExtendedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeExtendedJson).join(',')}]`;
  if (!isOrderedDocument(value)) return driver().BSON.EJSON.stringify(value, { relaxed: false });
  const fields = [...value].map(([name, inner]) => `${JSON.stringify(name)}:${writeExtendedJson(inner)}`);
  return `{${fields.join(',')}}`;
}

function elementsOf(bytes: Uint8Array): [name: string, value: unknown][] {
  return [...driver().BSON.onDemand.parseToElements(bytes)].map(([type, nameAt, nameLength, at, length]) => {
    const name = Buffer.from(bytes.subarray(nameAt, nameAt + nameLength)).toString('utf8');
    return [name, valueOf(type, bytes.subarray(at, at + length))];
  });
}

function valueOf(type: number, bytes: Uint8Array): unknown {
  if (type === DOCUMENT) return new Map(elementsOf(bytes));
  if (type === ARRAY) return elementsOf(bytes).map(([, value]) => value);
  // A document of one field without a name: its length, the type, the end of the name, the value, its own end.
  const alone = Buffer.alloc(LENGTH_BYTES + 2 + bytes.length + 1);
  alone.writeUInt32LE(alone.length);
  alone.writeUInt8(type, LENGTH_BYTES);
  alone.set(bytes, LENGTH_BYTES + 2);
  const read: unknown = driver().BSON.deserialize(alone, LEAF)[''];
  return read;
}

function fromMarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromMarked);
  if (typeof value !== 'object' || value === null) return fromPlain(value);
  const fields = Object.entries(value);
  return VALUES.has(fields.map(([name]) => name.slice(MARK.length)).join(' '))
    ? fromPlain(unmarked(value))
    : new Map(fields.map(([name, inner]) => [name.slice(MARK.length), fromMarked(inner)]));
}

function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.slice(MARK.length), unmarked(inner)]),
  );
}

function fromPlain(value: unknown): unknown {
  const read: unknown = driver().BSON.EJSON.parse(JSON.stringify(value), { relaxed: false });
  return read;
}
