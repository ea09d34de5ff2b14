import { CliError, EXIT } from './cli.errors.js';

/** As much of a problem (RFC 9457) as is told to a person. */
interface Problem {
  code?: string;
  detail?: string;
  type?: string;
}

export interface ApiPlace {
  /** `http://localhost:8000`, without a slash at its end. */
  url: string;
  token: string | undefined;
}

/** As many as the service gives at once. */
const MOST_ON_A_PAGE = 500;

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Asks a running Backstop. What it refuses, and that it does not answer, comes as a `CliError`. */
export class ApiClient {
  constructor(readonly place: ApiPlace) {}

  async get<Body>(path: string, query: Query = {}): Promise<Body> {
    return this.send<Body>('GET', path, query);
  }

  /** All pages of a list. */
  async getAll<Item>(path: string, query: Query = {}): Promise<Item[]> {
    const all: Item[] = [];
    let cursor: string | undefined;
    do {
      const response = await this.fetch('GET', path, { ...query, limit: MOST_ON_A_PAGE, cursor });
      all.push(...parseAs<Item[]>(await response.text()));
      cursor = nextCursor(response.headers.get('link'));
    } while (cursor !== undefined);
    return all;
  }

  async send<Body>(method: string, path: string, query: Query = {}, body?: unknown): Promise<Body> {
    const response = await this.fetch(method, path, query, body);
    const text = await response.text();
    try {
      return parseAs<Body>(text === '' ? 'null' : text);
    } catch {
      throw new CliError(
        EXIT.unreachable,
        `What answers at ${this.place.url} is not Backstop, but perhaps a proxy before it: ${text.slice(0, 200)}`,
      );
    }
  }

  /** The same, with the answer's body still to be read. */
  async fetch(method: string, path: string, query: Query = {}, body?: unknown): Promise<Response> {
    const { url, token } = this.place;
    const address = new URL(`${url}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    let response: Response;
    try {
      response = await fetch(address, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
      throw new CliError(
        EXIT.unreachable,
        `Backstop does not answer at ${url}${cause === '' ? '' : ` (${cause})`}. Is it running? BACKSTOP_URL says where it is.`,
      );
    }
    if (!response.ok) throw await toCliError(response);
    return response;
  }
}

/** From `<…?cursor=X>; rel="next"`; undefined on the last page. */
function nextCursor(link: string | null): string | undefined {
  const next = /<([^>]+)>; rel="next"/.exec(link ?? '')?.[1];
  return next === undefined
    ? undefined
    : (new URL(next, 'http://list').searchParams.get('cursor') ?? undefined);
}

/** The service's word is taken for the shape of what it answers: its documentation and this client are of one version. */
// oxlint-disable-next-line typescript/no-unsafe-return, typescript/no-unnecessary-type-parameters
const parseAs = <Body>(json: string): Body => JSON.parse(json);

async function toCliError(response: Response): Promise<CliError> {
  const text = await response.text();
  const problem = parseProblem(text);
  if (problem === undefined) {
    return new CliError(EXIT.refused, `The service answered ${response.status}: ${text.slice(0, 200)}`);
  }
  return new CliError(EXIT.refused, `${problem.code}: ${problem.detail ?? ''}`, problem);
}

function parseProblem(text: string): Problem | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isProblem(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}
