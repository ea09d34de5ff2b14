import { createHash } from 'node:crypto';

import type { SchemaFacts } from '../content-facts.js';
import type { ServerFacts } from '../engine.js';
import type { CollectionDefinition } from './archive/definition.js';
import { isOrderedDocument, type OrderedDocument } from './archive/ordered-document.js';
import { driver } from './mongo-driver.js';

/** A definition under the name that the manifest uses. */
export interface NamedDefinition {
  name: string;
  definition: CollectionDefinition;
}

/** What a server adds by itself, or writes otherwise after a restore: no difference for anybody who uses the collection. */
const INCIDENTAL_OPTIONS = new Set(['uuid', 'autoIndexId', 'flags', 'recordIdsReplicated']);
const INCIDENTAL_INDEX_FIELDS = new Set(['ns', 'v', 'background', 'safe', 'storageEngine']);

/**
 * Options, indexes, views and validators of all collections as one digest. Made of what an archive's prelude or a server's own
 * lists say, so that both can be compared. Pure.
 */
export function describeSchema(definitions: readonly NamedDefinition[], server: ServerFacts): SchemaFacts {
  const lines = definitions
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, definition }) => JSON.stringify([name, canonicalDefinition(definition)]));
  const flavour = server.details['ferretdb'] ? '-ferretdb' : '';
  return {
    digest: createHash('sha256').update(lines.join('\n')).digest('hex'),
    comparableWith: `mongodb-${server.major}${flavour}`,
    objects: countObjects(definitions.map(({ definition }) => definition)),
  };
}

function canonicalDefinition({ type, options, indexes }: CollectionDefinition): unknown {
  return [
    type ?? 'collection',
    entriesOf(options, INCIDENTAL_OPTIONS),
    indexes
      .map((index) => entriesOf(index, INCIDENTAL_INDEX_FIELDS))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  ];
}

/** Fields in the order of their names, for the outermost level; inside, order has a meaning (`{a: 1, b: 1}` of an index). */
function entriesOf(document: OrderedDocument, incidental: ReadonlySet<string>): unknown[] {
  return [...document]
    .filter(([name]) => !incidental.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, ordered(value)]);
}

/** JSON.stringify sorts keys that look like numbers first; a list of pairs keeps their order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (isOrderedDocument(value)) return pairsOf([...value]);
  // Relaxed: 1, NumberInt(1) and NumberLong(1) mean the same to every option, and servers change one to another.
  const plain: unknown = driver().BSON.EJSON.serialize(value, { relaxed: true });
  return typeof plain === 'object' && plain !== null ? pairsOf(Object.entries(plain)) : plain;
}

function pairsOf(fields: readonly [string, unknown][]): unknown[] {
  return ['{}', ...fields.map(([name, inner]) => [name, ordered(inner)])];
}

function countObjects(definitions: readonly CollectionDefinition[]): Record<string, number> {
  const ofType = (type: string): number => definitions.filter((one) => one.type === type).length;
  const all = {
    collections: definitions.length - ofType('view') - ofType('timeseries'),
    views: ofType('view'),
    time_series: ofType('timeseries'),
    capped: definitions.filter(({ options }) => options.get('capped') === true).length,
    validators: definitions.filter(({ options }) => options.has('validator')).length,
    indexes: definitions.reduce((sum, { indexes }) => sum + indexes.length, 0),
  };
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}
