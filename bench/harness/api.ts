import type { Service } from '../../test/support/service.ts';
import type { BenchServer } from './bench-server.ts';

/** What the bench looks at in a backup's or a restore's record. */
export interface Work {
  id: string;
  status: string;
  completed_at: string;
  size_bytes: number;
  plain_bytes: number;
  result: { restore_seconds: number } | null;
  target: { database_name: string };
}

const LONGEST_SECONDS = 3600;

/** Sends a request that must be answered well, and gives the answer's body. */
export async function ask<Body>(
  service: Service,
  method: string,
  path: string,
  body?: unknown,
): Promise<Body> {
  const answer = await service.request<Body>(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path} gave ${answer.status}: ${answer.text}`);
  return answer.body;
}

/** Registers a database of the bench's server under its own name, and gives the id. */
export async function register(service: Service, server: BenchServer, database: string): Promise<string> {
  const { host, port, username, password } = server;
  const where = { host, port, database_name: database, username, password };
  const made = await ask<{ id: string }>(service, 'POST', '/databases', {
    name: database,
    engine: 'postgres',
    ...where,
  });
  return made.id;
}

/**
 * Posts a request for work, waits for its end, and gives the record and the seconds from the request to `completed`: to the
 * moment that the record says, because whoever waits only looks ten times a second.
 */
export async function completed(
  service: Service,
  path: string,
  body: object,
): Promise<{ work: Work; seconds: number }> {
  const askedMs = Date.now();
  const work = await ask<Work>(
    service,
    'POST',
    `${path}?wait=completed&timeout_seconds=${LONGEST_SECONDS}`,
    body,
  );
  return { work, seconds: (Date.parse(work.completed_at) - askedMs) / 1000 };
}
