/** How a script is changed so that a given server runs it as one transaction. */
export interface ScriptFitting {
  /** The server does not know the setting `transaction_timeout`, which pg_dump 17 and newer turn off. */
  dropTransactionTimeout: boolean;
}

const NEWLINE = 0x0a;
const END_OF_ROWS = Buffer.from('\n\\.\n');
const LETTER_C = 0x43;

const NAME = String.raw`("(?:[^"]|"")+"|[^\s".]+)`;
/** A table without columns has no list of them: `COPY a.b  FROM stdin;`, with two blanks. */
const COPY = new RegExp(String.raw`^COPY ${NAME}\.${NAME} (?:\([^]*\))? FROM stdin;$`);
/** Longer than any `COPY`: 1600 columns of 63 bytes, with their quotes. */
const LONGEST_COPY = 256 * 1024;

/** What pg_dump writes above each object. */
const HEADING = /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: /;

/**
 * Walks over the lines of a plain dump while it passes by: finds the tables whose rows it holds, and takes out the lines that
 * would be in the way of one transaction. Rows are not looked at, only searched for their end.
 */
export class PlainLines {
  readonly #fitting: ScriptFitting;
  readonly #tables = new Set<string>();
  /** Sequences that the script makes, `schema.sequence`. */
  readonly #sequences = new Set<string>();
  readonly #positions: string[] = [];
  /** Bytes whose line is not complete, or whose rows may be about to end. */
  #pending: Buffer = Buffer.alloc(0);
  #isInRows = false;
  /** A `COPY` that goes on in the next line, because a column's name holds a newline. */
  #statement = '';
  #heading = { fullName: '', name: '', type: '' };

  constructor(fitting: ScriptFitting = { dropTransactionTimeout: false }) {
    this.#fitting = fitting;
  }

  /** Tables whose rows were seen to begin, `schema.table`, in order of name. */
  get tables(): string[] {
    return [...this.#tables].sort();
  }

  /**
   * Statements that were seen to set sequences. Those of extensions are not among them: pg_dump writes where they stand, if the
   * extension wants that, but `CREATE EXTENSION` makes them.
   */
  get positions(): readonly string[] {
    return this.#positions;
  }

  /** Takes the next bytes and gives those that go on. */
  read(chunk: Buffer): Buffer {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const kept: Buffer[] = [];
    let keptFrom = 0;
    let at = 0;
    for (;;) {
      const end = this.#isInRows ? this.#endOfRows(bytes, at) : bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      if (this.#isInRows) this.#isInRows = false;
      else if (!this.#keeps(bytes.subarray(at, end))) {
        kept.push(bytes.subarray(keptFrom, at));
        keptFrom = end + 1;
      }
      // Rows begin with the newline that ends their COPY, because an empty table's end follows at once.
      at = this.#isInRows ? end : end + 1;
    }
    if (this.#isInRows) at = Math.max(at, bytes.length - END_OF_ROWS.length + 1);
    kept.push(bytes.subarray(keptFrom, Math.max(at, keptFrom)));
    this.#pending = bytes.subarray(Math.max(at, keptFrom));
    return kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept);
  }

  /** The bytes are over: gives what was kept back. */
  end(): Buffer {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest;
  }

  #endOfRows(bytes: Buffer, from: number): number {
    const found = bytes.indexOf(END_OF_ROWS, from);
    return found < 0 ? -1 : found + END_OF_ROWS.length - 1;
  }

  #keeps(line: Buffer): boolean {
    const mayCopy = this.#heading.type === 'TABLE DATA'; // a function's body may have such a line, too
    if (this.#statement !== '' || (mayCopy && line[0] === LETTER_C)) this.#readCopy(line.toString('utf8'));
    if (line.length > 1024) return true;
    const text = line.toString('latin1');
    const heading = HEADING.exec(text);
    if (heading !== null) {
      const [, name = '', type = '', schema = ''] = heading;
      this.#heading = { fullName: `${schema}.${name}`, name, type };
      if (type === 'SEQUENCE') this.#sequences.add(this.#heading.fullName);
    } else if (this.#setsOwnSequence(text)) this.#positions.push(text);
    return !this.#isInTheWay(text);
  }

  #setsOwnSequence(line: string): boolean {
    const { type, fullName } = this.#heading;
    return type === 'SEQUENCE SET' && this.#sequences.has(fullName) && line.includes('.setval(');
  }

  #readCopy(line: string): void {
    this.#statement += line;
    const [, schema, table] = COPY.exec(this.#statement) ?? [];
    if (schema !== undefined && table !== undefined) {
      this.#isInRows = true;
      this.#tables.add(`${unquote(schema)}.${unquote(table)}`);
    }
    const hasOpenQuote = this.#statement.split('"').length % 2 === 0;
    const goesOn =
      hasOpenQuote && this.#statement.startsWith('COPY ') && this.#statement.length < LONGEST_COPY;
    this.#statement = goesOn ? `${this.#statement}\n` : '';
  }

  #isInTheWay(line: string): boolean {
    const { name, type } = this.#heading;
    switch (type) {
      case '': // the settings at the beginning
        return (
          line.startsWith('\\restrict ') || // ours covers the whole script
          (this.#fitting.dropTransactionTimeout && line === 'SET transaction_timeout = 0;')
        );
      case 'SCHEMA':
        return name === 'public' && line === 'CREATE SCHEMA public;'; // every new database has it
      case 'BLOBS':
        // pg_dump wraps large objects in a transaction of their own, whose COMMIT would commit ours.
        return line === 'BEGIN;' || line === 'COMMIT;';
      default:
        return false;
    }
  }
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
