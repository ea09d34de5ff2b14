import { StringDecoder } from 'node:string_decoder';

const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 56 * 1024;
/** A longer line is cut into several; no tool of ours writes one, and memory must stay bounded. */
const LINE_BYTES = 16 * 1024;

/**
 * `scheme://user:password@host`; greedy up to the last `@` of the word, for passwords with an `@` of their own. The lengths
 * are bounded, because a tool may print a line that makes an unbounded search quadratic.
 */
const CREDENTIALS_IN_URI = /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]{0,256}):[^\s]{0,1024}@/gi;
/** `password=…` and `password='…'` as connection strings write it. */
const PASSWORD_IN_CONNINFO = /\b(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s']+)/gi;

/** Removes secrets from a text that people will see: the given ones, and whatever looks like a password in a URI. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secretForms(secrets)) clean = clean.replaceAll(secret, '***');
  return clean.replace(CREDENTIALS_IN_URI, '$1:***@').replace(PASSWORD_IN_CONNINFO, '$1***');
}

/** A secret also leaks percent-encoded, or one line at a time. Longest first, so that no half of one stays. */
function secretForms(secrets: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const line of secret.split('\n')) {
      if (line.trim() === '') continue;
      forms.add(line);
      forms.add(encodeURIComponent(line));
    }
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/**
 * One line that a tool wrote. People see it scrubbed; it can only be asked whether it says something as the tool wrote it,
 * because a password like "role" or "p" would hide the words by which its cause is told.
 */
export class StderrLine {
  /** Without secrets. */
  readonly text: string;
  readonly #asWritten: string;

  constructor(asWritten: string, secrets: readonly string[] = []) {
    this.text = scrub(asWritten, secrets);
    this.#asWritten = asWritten;
  }

  says(pattern: RegExp): boolean {
    return pattern.test(this.#asWritten);
  }
}

/**
 * Keeps the beginning and the end of what a tool writes to stderr, scrubbed, in bounded memory, and hands on each line as
 * it comes. The beginning often names the cause ("connection refused"), the end the consequence.
 */
export class StderrTail {
  readonly #decoder = new StringDecoder('utf8');
  readonly #secrets: readonly string[];
  readonly #onLine: (line: string) => void;
  #pending = '';
  #head: StderrLine[] = [];
  #headBytes = 0;
  #tail: StderrLine[] = [];
  #tailBytes = 0;
  #dropped = 0;

  constructor(secrets: readonly string[] = [], onLine: (line: string) => void = () => undefined) {
    this.#secrets = secrets;
    this.#onLine = onLine;
  }

  /** Takes the next bytes; they may end anywhere, even inside a character. */
  write(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** The tool closed stderr: what is left without a newline is a line too. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#pending !== '') this.#line(this.#pending);
    this.#pending = '';
  }

  /** What was kept so far, with a mark where lines were left out. */
  get text(): string {
    const gap = this.#dropped > 0 ? [`[… ${this.#dropped} lines left out …]`] : [];
    return [...textsOf(this.#head), ...gap, ...textsOf(this.#tail)].join('\n');
  }

  /** The lines that were kept. */
  get lines(): StderrLine[] {
    return [...this.#head, ...this.#tail];
  }

  #take(text: string): void {
    this.#pending += text;
    const lines = this.#pending.split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    while (this.#pending.length > LINE_BYTES) {
      this.#line(this.#pending.slice(0, LINE_BYTES));
      this.#pending = this.#pending.slice(LINE_BYTES);
    }
  }

  #line(raw: string): void {
    const line = new StderrLine(raw.replace(/\r$/, ''), this.#secrets);
    this.#keep(line);
    this.#onLine(line.text);
  }

  #keep(line: StderrLine): void {
    const bytes = Buffer.byteLength(line.text) + 1;
    if (this.#tail.length === 0 && this.#headBytes + bytes <= HEAD_BYTES) {
      this.#head.push(line);
      this.#headBytes += bytes;
      return;
    }
    this.#tail.push(line);
    this.#tailBytes += bytes;
    while (this.#tailBytes > TAIL_BYTES) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) break;
      this.#tailBytes -= Buffer.byteLength(oldest.text) + 1;
      this.#dropped += 1;
    }
  }
}

function textsOf(lines: readonly StderrLine[]): string[] {
  return lines.map(({ text }) => text);
}
