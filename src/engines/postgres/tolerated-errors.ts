import type { ExitReport } from '../../process/command.js';

/**
 * Errors of `pg_restore` that change nothing, each with its reason. With any of them the tool exits 1 and says how many
 * errors it ignored; the restore counts as good only when all of them are on this list.
 */
const TOLERATED: readonly { pattern: RegExp; note: string }[] = [
  {
    // pg_restore 17 and newer turn this timeout off for its own session; servers before 17 do not have it.
    pattern: /unrecognized configuration parameter "transaction_timeout"/,
    note: 'the server does not know the setting transaction_timeout, which only concerned the restoring session',
  },
];

/** Whether a restoring tool of this version makes an error that must be tolerated on this server. */
export function needsTolerance(toolMajor: number, serverMajor: number): boolean {
  return toolMajor >= 17 && serverMajor < 17;
}

/** Reads the lines of `pg_restore` as they come, and judges its end. */
export class ToleratedErrors {
  readonly #notes = new Set<string>();
  #tolerated = 0;
  #others = 0;
  #ignoredByTool: number | undefined;

  /** Takes the next line of stderr. */
  read(line: string): void {
    this.#ignoredByTool ??= numberIn(
      /^pg_restore: warning: errors ignored on restore: (\d+)$/.exec(line)?.[1],
    );
    if (!/^pg_restore: (error|fatal): /.test(line)) return;
    const known = TOLERATED.find(({ pattern }) => pattern.test(line));
    if (known === undefined) this.#others += 1;
    else {
      this.#tolerated += 1;
      this.#notes.add(known.note);
    }
  }

  /** Whether the tool's end is good: it exited 0, or every error that it ignored is one of ours. */
  accepts(report: ExitReport): boolean {
    if (report.code === 0) return this.#others === 0;
    return (
      report.code === 1 &&
      this.#others === 0 &&
      this.#tolerated > 0 &&
      this.#ignoredByTool === this.#tolerated
    );
  }

  get notes(): string[] {
    return [...this.#notes];
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
