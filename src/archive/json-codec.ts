/** Why a value is not what its place in a document asks for. `pointer` is a JSON pointer (RFC 6901). */
export class ShapeError extends Error {
  constructor(
    readonly pointer: string,
    readonly reason: string,
  ) {
    super(`${pointer === '' ? 'the document' : pointer} ${reason}`);
  }
}

/**
 * Both directions of one shape of JSON. `decode` takes anything and throws `ShapeError`; what it gives is freshly built, of
 * known fields in their declared order. `encode` gives the JSON value in the same order.
 */
export interface JsonCodec<T> {
  decode(value: unknown, pointer: string): T;
  encode(value: T): unknown;
}

const OPTIONAL = Symbol('optional');
type Optional<T> = JsonCodec<T | undefined> & { [OPTIONAL]: true };

/** A value that passes a check, as it is. `reason` continues the sentence "<place> …". */
export function checked<T>(isValid: (value: unknown) => value is T, reason: string): JsonCodec<T> {
  return {
    decode: (value, pointer) => {
      if (!isValid(value)) throw new ShapeError(pointer, reason);
      return value;
    },
    encode: (value) => value,
  };
}

export function text(pattern: RegExp, reason: string): JsonCodec<string> {
  return checked((value): value is string => typeof value === 'string' && pattern.test(value), reason);
}

export const anyText = checked((value): value is string => typeof value === 'string', 'must be a text');
export const someText = text(/./s, 'must be a text and not empty');
export const flag = checked((value): value is boolean => typeof value === 'boolean', 'must be true or false');
export const nothing = checked((value): value is null => value === null, 'must be null');

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): JsonCodec<number> {
  return checked(
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    `must be a whole number from ${min} to ${max}`,
  );
}

export function oneOf<const T>(values: readonly T[]): JsonCodec<T> {
  return checked(
    (value): value is T => values.some((each) => each === value),
    `must be one of ${values.join(', ')}`,
  );
}

export function nullable<T>(codec: JsonCodec<T>): JsonCodec<T | null> {
  return {
    decode: (value, pointer) => (value === null ? null : codec.decode(value, pointer)),
    encode: (value) => (value === null ? null : codec.encode(value)),
  };
}

/** A field that may be left out; an undefined one is left out of the document. */
export function optional<T>(codec: JsonCodec<T>): Optional<T> {
  return {
    [OPTIONAL]: true,
    decode: (value, pointer) => (value === undefined ? undefined : codec.decode(value, pointer)),
    encode: (value) => (value === undefined ? undefined : codec.encode(value)),
  };
}

export function list<T>(codec: JsonCodec<T>): JsonCodec<T[]> {
  return {
    decode: (value, pointer) => {
      if (!Array.isArray(value)) throw new ShapeError(pointer, 'must be a list');
      return value.map((each: unknown, index) => codec.decode(each, `${pointer}/${index}`));
    },
    encode: (value) => value.map((each) => codec.encode(each)),
  };
}

/** An object whose field names are not known beforehand. */
export function dictionary<T>(codec: JsonCodec<T>): JsonCodec<Record<string, T>> {
  return {
    decode: (value, pointer) =>
      mapEntries(asObject(value, pointer), (name, each) => codec.decode(each, `${pointer}/${escaped(name)}`)),
    encode: (value) => mapEntries(value, (_name, each) => codec.encode(each)),
  };
}

/** Any JSON. Values that JSON cannot hold are refused, undefined fields left out. */
export const json: JsonCodec<unknown> = {
  decode: (value, pointer) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    // Minus zero would come back as zero.
    if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value;
    if (Array.isArray(value)) return list(json).decode(value, pointer);
    if (isPlainObject(value)) return dictionary(json).decode(defined(value), pointer);
    throw new ShapeError(pointer, 'must be JSON');
  },
  encode: (value) => value,
};

export interface RecordCodec<T> extends JsonCodec<T> {
  encode(value: T): Record<string, unknown>;
}

/** An object of known fields. In the document their names are in snake case; names that are not known are passed over. */
export function record<T extends object>(fields: { [K in keyof T]-?: JsonCodec<T[K]> }): RecordCodec<T> {
  const entries = Object.entries<JsonCodec<unknown>>(fields);
  return {
    decode: (value, pointer) => {
      const source = asObject(value, pointer);
      const decoded = entries.map(([name, codec]) => {
        const wireName = snakeCase(name);
        const place = `${pointer}/${wireName}`;
        const found = Object.hasOwn(source, wireName) ? source[wireName] : undefined;
        if (found === undefined && !(OPTIONAL in codec)) throw new ShapeError(place, 'is missing');
        return [name, codec.decode(found, place)] as const;
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `fields` has a codec for every field of T
      return Object.fromEntries(decoded.filter(([, each]) => each !== undefined)) as T;
    },
    encode: (value) => {
      const source = new Map<string, unknown>(Object.entries(value));
      return Object.fromEntries(
        entries.map(([name, codec]) => [snakeCase(name), codec.encode(source.get(name))]),
      );
    },
  };
}

/** A list or object that also fulfils a rule over its whole. */
export function where<T>(codec: JsonCodec<T>, isValid: (value: T) => boolean, reason: string): JsonCodec<T> {
  return {
    decode: (value, pointer) => {
      const decoded = codec.decode(value, pointer);
      if (!isValid(decoded)) throw new ShapeError(pointer, reason);
      return decoded;
    },
    encode: (value) => codec.encode(value),
  };
}

/** Throws `ShapeError` for everything that is not an object with named fields. */
export function asObject(value: unknown, pointer: string): Record<string, unknown> {
  if (!isPlainObject(value)) throw new ShapeError(pointer, 'must be an object');
  return value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}

/** `Object.fromEntries` defines fields; assigning would fall into the trap of a field named `__proto__`. */
function mapEntries<A, B>(value: Record<string, A>, map: (name: string, each: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, map(name, each)]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
