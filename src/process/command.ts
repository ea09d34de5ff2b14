import type { StderrLine } from './stderr-tail.js';

/**
 * A tool to start: always an argument vector, never a shell line. Secrets travel by `env` or by files that the caller
 * made with mode 0600; `args` is visible to every user of the machine and therefore must not hold any.
 */
export interface Command {
  /** Absolute path of the executable. */
  file: string;
  args: readonly string[];
  /**
   * The whole environment of the child; nothing is inherited but PATH, LANG and TZ (see `child-environment.ts`). HOME of a tool
   * that works on a database is a folder below the work folder: by it the next service finds what we have left running.
   */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Texts that must never appear in what we keep of stderr (passwords, URIs with passwords). */
  secrets?: readonly string[];
}

/** How a child ended. Exactly one of `code` and `signal` is set. */
export interface ExitReport {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Bounded and scrubbed end of stderr, for people. */
  stderr: string;
  /** The same line by line, for reading the cause. */
  lines?: readonly StderrLine[];
}
