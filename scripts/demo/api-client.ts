import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 100;

/** What the service said instead of doing it. */
export class ProblemError extends Error {
  readonly code: string;

  constructor(what: string, problem: { code?: string; title?: string; detail?: string }) {
    const why = problem.detail ?? problem.title ?? 'no reason given';
    super(`${what}: ${why} (${problem.code ?? 'no code'})`);
    this.name = 'ProblemError';
    this.code = problem.code ?? '';
  }
}

/** The service's HTTP interface as any client sees it. Every call ends when `signal` aborts. */
export class ApiClient {
  readonly baseUrl: string;
  readonly #signal: AbortSignal;

  constructor(baseUrl: string, signal: AbortSignal) {
    this.baseUrl = baseUrl;
    this.#signal = signal;
  }

  async get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    return this.#json<T>('POST', path, body);
  }

  /** Asks again and again until it is over; `onChange` sees each answer. Rejects when the record ends badly. */
  async follow<T extends { status: string; error?: { code: string; detail: string } | null }>(
    path: string,
    onChange: (record: T) => void,
  ): Promise<T> {
    for (;;) {
      const record = await this.get<T>(path);
      if (record.status === 'completed') return record;
      if (record.status !== 'queued' && record.status !== 'running') {
        throw new ProblemError(`${path} is ${record.status}`, record.error ?? {});
      }
      onChange(record);
      await wait(POLL_MS, undefined, { signal: this.#signal });
    }
  }

  /** Stores an answer's bytes in a file; gives how many there were and their SHA-256 in hex. */
  async download(path: string, file: string): Promise<{ sizeBytes: number; sha256: string }> {
    const response = await this.#request('GET', path);
    if (response.body === null) throw new Error(`GET ${path} gave no bytes`);
    const digest = createHash('sha256');
    let sizeBytes = 0;
    const metered = new Transform({
      transform(chunk: Buffer, _encoding, done): void {
        digest.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), metered, createWriteStream(file, { mode: 0o600 }), {
      signal: this.#signal,
    });
    return { sizeBytes, sha256: digest.digest('hex') };
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#request(method, path, body);
    return (await response.json()) as T;
  }

  async #request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(new URL(path, this.baseUrl), {
      method,
      signal: this.#signal,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const problem: unknown = await response.json().catch(() => ({ title: `HTTP ${response.status}` }));
    throw new ProblemError(
      `${method} ${path} was refused`,
      problem as { code?: string; title?: string; detail?: string },
    );
  }
}
