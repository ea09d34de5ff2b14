/** What the exit code of `backstop` says; written in docs/cli.md for those who write scripts. */
export const EXIT = {
  ok: 0,
  /** The work was done and ended badly: a backup or a restore failed or was cancelled, or a verification did not pass. */
  workFailed: 1,
  usage: 2,
  /** The service answered with a problem. */
  refused: 3,
  unreachable: 4,
  /** `--timeout` was over before the work had ended. */
  waitedInVain: 5,
  /** The command itself failed, in a way that nobody has thought of. */
  unexpected: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence for the person who typed it. */
export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** The service's problem, for `--json`. */
    readonly problem?: unknown,
  ) {
    super(message);
  }
}
