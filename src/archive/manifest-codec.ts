import { createHash } from 'node:crypto';

import type { ContentFacts } from '../engines/content-facts.js';
import {
  DUMP_FORMATS,
  ENGINE_KINDS,
  type DumpScope,
  type ServerFacts,
  type ToolFacts,
} from '../engines/engine.js';
import { DomainError } from '../errors/domain-error.js';
import { isKeySegment } from '../storage/storage-key.js';
import {
  anyText,
  asObject,
  checked,
  dictionary,
  flag,
  integer,
  json,
  list,
  nothing,
  nullable,
  oneOf,
  optional,
  record,
  ShapeError,
  someText,
  text,
  where,
  type RecordCodec,
} from './json-codec.js';
import { ManifestInvalidError, ManifestUnknownVersionError } from './manifest.errors.js';
import { COMPRESSIONS, MANIFEST_FORMAT_VERSION, type Manifest, type ManifestPart } from './manifest.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UTC_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

const size = integer(0);
const bytes = record<ManifestPart['plain']>({
  size_bytes: size,
  sha256: text(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
});
const time = checked(
  (value): value is string =>
    typeof value === 'string' && UTC_TIME.test(value) && !Number.isNaN(Date.parse(value)),
  'must be a time in UTC like 2026-11-21T03:15:00.000Z',
);
// The name leads to an object beside the manifest: one with a slash or `..` would lead elsewhere.
const filename = checked(
  (value): value is string => typeof value === 'string' && isKeySegment(value),
  'must be a file name without folders',
);

const yes = checked((value): value is true => value === true, 'must be true, or left out');

const part = record<ManifestPart>({ role: oneOf(['data', 'roles']), filename, plain: bytes, stored: bytes });

const parts = where(
  list(part),
  (all) => all[0]?.role === 'data' && new Set(all.map((each) => each.filename)).size === all.length,
  'must begin with the data and name no file twice',
);

const content = record<ContentFacts>({
  items: list(
    record<ContentFacts['items'][number]>({
      name: anyText,
      kind: oneOf(['table', 'collection']),
      rows: size,
      bytes: size,
      contentHash: optional(someText),
      expires: optional(yes),
    }),
  ),
  counters: dictionary(integer(0)),
  schema: record<ContentFacts['schema']>({
    digest: someText,
    comparableWith: someText,
    objects: dictionary(integer(0)),
  }),
});

const manifest: RecordCodec<Manifest> = record<Manifest>({
  format_version: oneOf([MANIFEST_FORMAT_VERSION]),
  backup_id: text(UUID, 'must be a UUID'),
  attempt: integer(1),
  created_at: time,
  completed_at: time,
  trigger: someText,
  description: nullable(anyText),
  engine: oneOf(ENGINE_KINDS),
  database: record<Manifest['database']>({
    name: someText,
    // Empty: every database of the server.
    database_name: anyText,
    host: anyText,
    port: integer(0, 65_535),
  }),
  server: record<ServerFacts>({ version: someText, major: integer(0), details: dictionary(json) }),
  tool: record<ToolFacts>({ name: someText, version: someText }),
  written_by: someText,
  format: oneOf(DUMP_FORMATS),
  options: record<DumpScope>({
    format: optional(oneOf(DUMP_FORMATS)),
    schemas: optional(list(anyText)),
    includeTables: optional(list(anyText)),
    excludeTables: optional(list(anyText)),
    tool: optional(someText),
    includeRoles: optional(flag),
    hashContent: optional(flag),
  }),
  compression: oneOf(COMPRESSIONS),
  encryption: nothing,
  parts,
  content,
});

/**
 * The text of a manifest: JSON with names in snake case, in the order of `Manifest`, indented by two, and a line feed at
 * the end. Its last field, `digest`, is the SHA-256 of the same JSON without that field, so that a flipped bit in a row
 * count is noticed too. Throws `ManifestInvalidError` for what `decodeManifest` would refuse: no such text is ever written.
 */
export function encodeManifest(value: Manifest): string {
  return translated(() => {
    const document = manifest.encode(manifest.decode(manifest.encode(value), ''));
    return `${printed({ ...document, digest: digestOf(document) })}\n`;
  });
}

/**
 * Reads what `encodeManifest` wrote, perhaps printed anew by another program. Throws `ManifestUnknownVersionError`, or
 * `ManifestInvalidError` for everything else that is not exactly such a manifest; nothing else. Fields that it does not
 * know are covered by the digest and left out: a later Backstop may add some without a new format version.
 */
export function decodeManifest(source: string): Manifest {
  return translated(() => {
    const { digest, ...document } = asObject(JSON.parse(source), '');
    const version = document['format_version'];
    if (Number.isSafeInteger(version) && version !== MANIFEST_FORMAT_VERSION) {
      throw new ManifestUnknownVersionError(Number(version), MANIFEST_FORMAT_VERSION);
    }
    const value = manifest.decode(document, '');
    if (digest !== digestOf(document)) {
      throw new ShapeError(
        '/digest',
        'does not fit the rest: the manifest was changed after it had been written',
      );
    }
    return value;
  });
}

function printed(document: Record<string, unknown>): string {
  return JSON.stringify(document, null, 2);
}

function digestOf(document: Record<string, unknown>): string {
  return `sha256:${createHash('sha256').update(printed(document)).digest('hex')}`;
}

/** JSON.parse, and recursion into a document of absurd depth, throw errors of their own. */
function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    if (error instanceof ShapeError)
      throw new ManifestInvalidError(error.message, { pointer: error.pointer });
    throw new ManifestInvalidError(error instanceof Error ? error.message : String(error), {}, error);
  }
}
