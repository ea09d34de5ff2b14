import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

import { PROBLEM_JSON, type ProblemResponse, problemResponses } from './problem-responses.js';
import { SERVICE_VERSION } from './service-version.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type OperationResponse = Operation['responses'][string];

/** Everything with this tag is deprecated. */
const OLDER = 'older paths';

const TAGS: Readonly<Record<string, string>> = {
  databases: 'The databases that are protected, and how to reach them. Credentials go in and never come out.',
  backups: 'Making backups, looking inside, downloading, deleting. Work that takes time answers 202 at once.',
  schedules: 'When databases are backed up by themselves, and what those moments are.',
  restores:
    'Bringing a backup back: beside the old database, to another server, or in the place of the old one.',
  verifications: 'Reading stored backups again, to know how far each is good.',
  events: 'What happens, while it happens: state changes and progress, as server-sent events.',
  engines: 'The kinds of databases, and the client tools that were found for them.',
  [OLDER]:
    'What scripts for the services that Backstop replaces ask for; each operation names the one of today.',
  health: 'For orchestrators and load balancers.',
  service: 'The service itself.',
};

const DESCRIPTION = `Database backups that are proven to restore.

Times are ISO 8601 in UTC, ids are UUID v7, sizes and durations carry their unit in the name. Lists are arrays, paged by \`limit\` and
\`cursor\` (headers \`Link\` and \`X-Total-Count\`). Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`; their \`type\` leads
to a page that says what to do.`;

/** Problems of every operation, of those that may change something, of those that take anything, and of those that take a body. */
const ALWAYS = ['internal-error', 'host-not-allowed'];
const WITH_CHANGES = ['catalog-full'];
const WITH_INPUT = ['invalid-request'];
const WITH_BODY = ['invalid-json', 'body-too-large', 'unsupported-media-type'];

/** What a success means where the operation says nothing more special. */
const SUCCESSES: Readonly<Record<string, string>> = {
  200: 'Done, with the answer.',
  201: 'Made; `Location` leads to it.',
  202: 'Accepted; the work goes on.',
  204: 'Done; there is nothing to answer.',
};

/** The OpenAPI document of all operations that the application has. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Backstop')
    .setDescription(DESCRIPTION)
    .setVersion(SERVICE_VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0');
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  describeSuccesses(document);
  for (const operation of operationsOf(document))
    if (operation.tags?.includes(OLDER)) operation.deprecated = true;
  addCommonProblems(document);
  return document;
}

/** Serves the document at `/docs` (Swagger UI), `/docs-json` and `/docs-yaml`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), {
    customSiteTitle: 'Backstop API',
    swaggerOptions: { displayRequestDuration: true, tryItOutEnabled: true },
  });
}

function describeSuccesses(document: OpenAPIObject): void {
  for (const operation of operationsOf(document)) {
    for (const [status, response] of Object.entries<OperationResponse | undefined>(operation.responses)) {
      if (response === undefined || '$ref' in response || response.description !== '') continue;
      response.description = SUCCESSES[status] ?? '';
    }
  }
}

function operationsOf(document: OpenAPIObject): Operation[] {
  return Object.values(document.paths)
    .flatMap((path) => [path.get, path.post, path.put, path.patch, path.delete])
    .filter((operation) => operation !== undefined);
}

/** Adds what every operation may answer, without touching what an operation says itself. */
function addCommonProblems(document: OpenAPIObject): void {
  const readers = new Set(Object.values(document.paths).map((path) => path.get));
  for (const operation of operationsOf(document)) {
    const hasBody = operation.requestBody !== undefined;
    const hasInput = hasBody || (operation.parameters ?? []).length > 0;
    const codes = [
      ...(hasInput ? WITH_INPUT : []),
      ...(hasBody ? WITH_BODY : []),
      ...(readers.has(operation) ? [] : WITH_CHANGES),
      ...ALWAYS,
    ];
    for (const [status, common] of Object.entries(problemResponses(codes))) {
      operation.responses[status] = merge(operation.responses[status], common);
    }
  }
}

function merge(own: OperationResponse | undefined, common: ProblemResponse): OperationResponse {
  if (own === undefined || '$ref' in own) return own ?? common;
  const examples = own.content?.[PROBLEM_JSON]?.examples;
  if (examples) Object.assign(examples, common.content[PROBLEM_JSON].examples);
  return { ...own, description: `${own.description}; ${common.description}` };
}
