import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

/** As much of an OpenAPI document as is looked at here. */
interface Document {
  tags?: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, { properties?: Record<string, Property> }> };
}

interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: { name: string; description?: string }[];
  responses?: Record<string, { description?: string }>;
}

interface Property {
  type?: string;
  description?: string;
  example?: unknown;
  enum?: unknown[];
  writeOnly?: boolean;
  $ref?: string;
  allOf?: unknown[];
  items?: Property;
}

/** Longer ones are cut off, or wrapped, in the list of operations. */
const LONGEST_SUMMARY = 130;

/** Who sends one of these again, asks the same again: a test, a plan, or an end that has come already. */
const MAKING_NOTHING = [
  '/api/backups/cleanup',
  '/api/v1/backup/cleanup',
  '/backups/cleanup',
  '/backups/{id}/cancel',
  '/connections/{id}/test',
  '/databases/{id}/retention',
  '/databases/{id}/test',
  '/restores/{id}/cancel',
  '/verifications/{id}/cancel',
  '/schedules/preview',
];

function takesKey({ parameters = [] }: Operation): boolean {
  return parameters.some(({ name }) => name === 'Idempotency-Key');
}

/** Everything that the document leaves for its reader to guess, one sentence each. */
function gapsIn(document: Document): string[] {
  const tags = (document.tags ?? []).map(({ name }) => name);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      gapsOfOperation(operation, tags).map((gap) => `${method.toUpperCase()} ${path} ${gap}`),
    ),
  );
  const properties = Object.entries(document.components?.schemas ?? {}).flatMap(([schema, { properties }]) =>
    Object.entries(properties ?? {}).flatMap(([name, property]) =>
      gapsOfProperty(property).map((gap) => `${schema}.${name} ${gap}`),
    ),
  );
  return [...operations, ...properties];
}

function gapsOfOperation(
  { summary = '', tags = [], parameters = [], responses = {} }: Operation,
  declared: string[],
): string[] {
  const gaps: string[] = [];
  if (summary.trim() === '') gaps.push('has no summary');
  if (summary.includes('\n')) gaps.push('has a summary of several lines; use @remarks');
  if (summary.length > LONGEST_SUMMARY) gaps.push(`has a summary above ${LONGEST_SUMMARY} characters`);
  if (tags.length === 0) gaps.push('has no tag');
  for (const tag of tags) if (!declared.includes(tag)) gaps.push(`has the undeclared tag ${tag}`);
  for (const { name, description } of parameters) {
    if (!description) gaps.push(`has the parameter ${name} without a description`);
  }
  for (const [status, { description }] of Object.entries(responses)) {
    if (!description) gaps.push(`answers ${status} without a description`);
  }
  return gaps;
}

function gapsOfProperty(property: Property): string[] {
  const gaps: string[] = [];
  if (!property.description) gaps.push('has no description');
  if (!explainsItself(property) && property.example === undefined) gaps.push('has no example');
  return gaps;
}

/** Words to choose from and other schemas show what may stand there; a secret has no example that anybody should copy. */
function explainsItself({ type, enum: words, writeOnly, $ref, allOf, items }: Property): boolean {
  if (type === 'array' && items !== undefined) return explainsItself(items);
  return type === 'boolean' || [words, $ref, allOf].some((each) => each !== undefined) || writeOnly === true;
}

describe('openapi.json', () => {
  const text = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8');

  it('describes every operation, parameter and field', () => {
    const document = JSON.parse(text) as Document;
    expect(Object.keys(document.paths).length).toBeGreaterThan(10);
    expect(Object.keys(document.components?.schemas ?? {}).length).toBeGreaterThan(10);
    expect(gapsIn(document)).toEqual([]);
  });

  it('has every POST take an Idempotency-Key, but for those that make nothing', () => {
    const { paths } = JSON.parse(text) as Document;
    const withoutKey = Object.entries(paths)
      .filter(([, { post }]) => post !== undefined && !takesKey(post))
      .map(([path]) => path);
    expect(withoutKey.toSorted()).toEqual(MAKING_NOTHING.toSorted());
  });
});

describe('the search for gaps', () => {
  it('names each of them', () => {
    const gaps = gapsIn({
      tags: [{ name: 'known' }],
      paths: {
        '/a': {
          get: { tags: ['unknown'], parameters: [{ name: 'id' }] },
          post: { summary: 'One.\nTwo.', tags: ['known'] },
          put: { summary: 'x'.repeat(131), responses: { 200: { description: '' } } },
        },
      },
      components: {
        schemas: {
          A: { properties: { b: { type: 'string' }, c: { $ref: 'B' }, d: { type: 'array', items: {} } } },
        },
      },
    });
    expect(gaps).toEqual([
      'GET /a has no summary',
      'GET /a has the undeclared tag unknown',
      'GET /a has the parameter id without a description',
      'POST /a has a summary of several lines; use @remarks',
      'PUT /a has a summary above 130 characters',
      'PUT /a has no tag',
      'PUT /a answers 200 without a description',
      'A.b has no description',
      'A.b has no example',
      'A.c has no description',
      'A.d has no description',
      'A.d has no example',
    ]);
  });

  it('asks for no example of a choice, a switch, another schema or a secret', () => {
    const description = 'Told.';
    const properties: Record<string, Property> = {
      choice: { type: 'string', enum: ['a', 'b'], description },
      switch: { type: 'boolean', description },
      other: { allOf: [{ $ref: 'B' }], description },
      others: { type: 'array', items: { $ref: 'B' }, description },
      secret: { type: 'string', writeOnly: true, description },
    };
    expect(gapsIn({ paths: {}, components: { schemas: { A: { properties } } } })).toEqual([]);
  });
});
