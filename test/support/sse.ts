import { until } from './until.ts';

/** One entry of an event stream. */
export interface StreamEntry {
  event: string;
  id?: string;
  data: Record<string, unknown>;
}

/** An open event stream, and what it has told so far. */
export interface EventListener extends AsyncDisposable {
  entries: StreamEntry[];
  /** All that came, heartbeats included. */
  text(): string;
  /** The first entry, so far or from now on, for which `is` holds. */
  entry(what: string, is: (entry: StreamEntry) => boolean): Promise<StreamEntry>;
  /** Resolves when the service has ended the stream; rejects when the connection broke. */
  ended: Promise<void>;
}

/** Listens to `/events` of a running service, as `EventSource` and `curl -N` do. */
export async function listen(
  url: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<EventListener> {
  const hangUp = new AbortController();
  const response = await fetch(`${url}/events${query}`, { headers, signal: hangUp.signal });
  if (response.status !== 200 || response.body === null) throw new Error(await response.text());
  const entries: StreamEntry[] = [];
  let text = '';
  let parsed = 0;
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n', parsed); end !== -1; end = text.indexOf('\n\n', parsed)) {
        const entry = parseEntry(text.slice(parsed, end));
        if (entry) entries.push(entry);
        parsed = end + 2;
      }
    }
  };
  const ended = read(response.body);
  ended.catch(() => undefined);
  // The first words show that we are being told from here on.
  await until('the welcome of the stream', () => text.includes(': welcome'));
  return {
    entries,
    text: () => text,
    entry: (what, is) => until(`an event: ${what}`, () => entries.find(is)),
    ended,
    [Symbol.asyncDispose]: async () => {
      hangUp.abort();
      await ended.catch(() => undefined);
    },
  };
}

function parseEntry(block: string): StreamEntry | undefined {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
  );
  const [event, data, id] = [fields.get('event'), fields.get('data'), fields.get('id')];
  if (event === undefined || data === undefined) return undefined;
  return { event, data: JSON.parse(data), ...(id === undefined ? {} : { id }) };
}
