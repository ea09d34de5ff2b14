import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';

import { CliError, EXIT } from './cli.errors.js';

type Cell = string | number | boolean | null | undefined;

/** Results go to stdout, everything that is said beside them to stderr, so that a pipe gets results alone. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A table in columns as wide as their widest cell. */
export function formatTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => String(cell ?? '-')));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** As `1 backup`, `3 backups`. */
export function formatCount(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** As `12.3 MB`; a MB has 10^6 bytes, as for disks. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

const BAR = 24;

/** `[######..................]`: so much of the whole. */
export function formatBar(done: number, total: number): string {
  const filled = total === 0 ? BAR : Math.round((BAR * Math.min(done, total)) / total);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}]`;
}

/** One line beside the results that is written over while something goes on; none for programs, and where nobody watches. */
export class StatusLine {
  readonly #isShown: boolean;

  constructor({ json }: { json: boolean }) {
    this.#isShown = process.stderr.isTTY && !json;
  }

  show(line: string): void {
    if (this.#isShown) process.stderr.write(`\r\u001B[K${line}`);
  }

  clear(): void {
    this.show('');
  }
}

/**
 * Asks before something is destroyed.
 * @throws CliError when the answer is not yes, or when nobody is there to be asked
 */
export async function confirm(question: string, isSure: boolean): Promise<void> {
  if (isSure) return;
  if (!process.stdin.isTTY) {
    throw new CliError(EXIT.usage, `${question} Nobody is here to say so: add --yes.`);
  }
  const asker = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asker.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.usage, 'Nothing was done.');
  } finally {
    asker.close();
  }
}

/** Reads a password: typed without being shown, or the first line of what is piped in. */
export async function askPassword(question: string): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) return (await text(stdin)).split(/\r?\n/, 1)[0] ?? '';
  process.stderr.write(question);
  stdin.setRawMode(true);
  try {
    return await typed(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write('\n');
  }
}

async function typed(stdin: NodeJS.ReadStream): Promise<string> {
  let password = '';
  for await (const chunk of stdin.setEncoding('utf8')) {
    for (const char of String(chunk)) {
      if (char === '\r' || char === '\n') return password;
      if (char === '\u0003') throw new CliError(EXIT.usage, 'Nothing was done.');
      password = char === '\u007F' ? password.slice(0, -1) : password + char;
    }
  }
  return password;
}
