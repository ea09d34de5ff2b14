import type { WriteStream } from 'node:tty';

import { seconds as inSeconds } from './figures.ts';

/** Everything ends here, also on a wider screen: figures at the right edge stay near their words. */
const WIDTH = 80;
const INDENT = '     ';
const BAR_WIDTH = 24;

export interface Column {
  title: string;
  align: 'left' | 'right';
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan';
const STYLES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
};

/**
 * Prints the tour. Words, figures and layout are the same everywhere; colour and the line that moves are added only where
 * a person looks: on a terminal that has not been asked to be plain (`NO_COLOR`, `TERM=dumb`).
 */
export class Terminal {
  readonly #out: WriteStream;
  readonly #isLive: boolean;
  readonly #isColoured: boolean;
  #steps = 0;
  #hasLiveLine = false;
  #lastPhase = '';

  constructor(out: WriteStream, environment: Readonly<Record<string, string | undefined>>) {
    this.#out = out;
    this.#isLive = out.isTTY && environment['TERM'] !== 'dumb';
    this.#isColoured = this.#isLive && !environment['NO_COLOR'];
  }

  paint(style: Style, text: string): string {
    const [on, off] = STYLES[style];
    return this.#isColoured ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }

  heading(name: string, claim: string): void {
    this.line();
    this.line(`  ${this.paint('bold', name)}  ${this.paint('dim', claim)}`);
    this.line(`  ${this.paint('dim', '─'.repeat(WIDTH - 2))}`);
  }

  /** Begins the next numbered step. */
  step(title: string): void {
    this.#steps += 1;
    this.line();
    this.line(`${this.paint('dim', String(this.#steps).padStart(3))}  ${this.paint('bold', title)}`);
  }

  /** Something was done, and how long it took: shown at the right edge. */
  done(text: string, seconds?: number): void {
    const time = seconds === undefined ? '' : inSeconds(seconds);
    const gap = ' '.repeat(Math.max(2, WIDTH - INDENT.length - 2 - text.length - time.length));
    const end = time && `${gap}${this.paint('dim', time)}`;
    this.line(`${INDENT}${this.paint('green', '✓')} ${text}${end}`);
  }

  note(text: string): void {
    this.line(`${INDENT}  ${this.paint('dim', text)}`);
  }

  /** Words with commas between them, in as many notes as they need. */
  enumeration(words: readonly string[]): void {
    let line = '';
    for (const word of words) {
      if (line !== '' && INDENT.length + line.length + word.length + 4 > WIDTH) {
        this.note(`${line},`);
        line = word;
      } else {
        line = line === '' ? word : `${line}, ${word}`;
      }
    }
    if (line !== '') this.note(line);
  }

  /** Words with their figures, three pairs a line. */
  figures(pairs: readonly (readonly [string, string])[]): void {
    for (let at = 0; at < pairs.length; at += 3) {
      const cells = pairs
        .slice(at, at + 3)
        .map(([word, figure]) => this.paint('dim', word.padEnd(9)) + figure.padStart(12));
      this.line(`${INDENT}  ${cells.join('   ')}`);
    }
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const widths = columns.map(({ title }, at) =>
      Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
    );
    const laidOut = (cells: readonly string[]): string =>
      cells
        .map((cell, at) =>
          columns[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
        )
        .join('   ')
        .trimEnd();
    this.line(`${INDENT}  ${this.paint('dim', laidOut(columns.map(({ title }) => title)))}`);
    for (const row of rows) this.line(`${INDENT}  ${laidOut(row).replaceAll('✓', this.paint('green', '✓'))}`);
  }

  /**
   * Shows how far something is: a line that moves on a terminal, one line for each new phase elsewhere.
   * `share` is 0 to 1, or undefined while it is not known.
   */
  progress(phase: string, share: number | undefined, figures: string): void {
    if (!this.#isLive) {
      if (phase !== this.#lastPhase) this.line(`${INDENT}  ${phase} …`);
      this.#lastPhase = phase;
      return;
    }
    const filled = Math.round((share ?? 0) * BAR_WIDTH);
    const bar = this.paint('cyan', '━'.repeat(filled)) + this.paint('dim', '─'.repeat(BAR_WIDTH - filled));
    const room = Math.min(WIDTH, this.#out.columns) - INDENT.length - BAR_WIDTH - 5;
    const text = `${phase.padEnd(11)} ${figures}`.slice(0, Math.max(0, room));
    this.#out.write(`\r\u001b[2K${INDENT}  ${bar}  ${text}`);
    this.#hasLiveLine = true;
  }

  /** Words, each with an address. */
  links(links: readonly (readonly [string, string])[]): void {
    this.line();
    const width = Math.max(...links.map(([word]) => word.length));
    for (const [word, address] of links) {
      this.line(`  ${this.paint('dim', word.padEnd(width))}   ${this.paint('cyan', address)}`);
    }
  }

  /** The end: lines in a frame. */
  box(lines: readonly string[]): void {
    const inner = WIDTH - 6;
    const edge = (text: string): string => this.paint('dim', text);
    this.line();
    this.line(`  ${edge(`╭${'─'.repeat(inner + 2)}╮`)}`);
    for (const line of lines) this.line(`  ${edge('│')} ${line.padEnd(inner)} ${edge('│')}`);
    this.line(`  ${edge(`╰${'─'.repeat(inner + 2)}╯`)}`);
  }

  failed(text: string): void {
    const [first = '', ...rest] = text.split('\n');
    this.line();
    this.line(`${INDENT}${this.paint('red', '✗')} ${first}`);
    for (const line of rest) this.line(`${INDENT}  ${line}`);
  }

  /** Prints a line, in the place of the one that moves. */
  line(text = ''): void {
    if (this.#hasLiveLine) this.#out.write('\r\u001b[2K');
    this.#hasLiveLine = false;
    this.#lastPhase = '';
    this.#out.write(`${text}\n`);
  }
}
