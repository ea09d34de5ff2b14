import { DomainError } from '../errors/domain-error.js';
import type { ExitReport } from './command.js';

/** A tool ended badly, or ended well without having done its part. Engines turn it into an error of their own. */
export class ToolFailedError extends DomainError {
  constructor(
    readonly tool: string,
    readonly report: ExitReport,
    what: string = describeExit(report),
  ) {
    const said = lastWords(report.stderr);
    super({
      code: 'tool-failed',
      kind: 'unprocessable',
      detail: said === '' ? `${tool} ${what}` : `${tool} ${what}: ${said}`,
      facts: { tool, exit_code: report.code, signal: report.signal },
    });
  }
}

/** A tool could not be started at all: not there, not executable, no more processes allowed. */
export class ToolNotStartedError extends DomainError {
  constructor(tool: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super({
      code: 'tool-not-started',
      kind: 'unavailable',
      detail: `${tool} could not be started: ${reason}`,
      facts: { tool },
      cause,
    });
  }
}

/** A tool is there, but did not say its version: the machine is too busy, or has nothing left to start it with. */
export class ToolUnansweredError extends DomainError {
  constructor(path: string, reason: string, cause?: unknown) {
    super({
      code: 'tool-unanswered',
      kind: 'unavailable',
      detail: `${path} is there, but did not say its version (${reason}); most likely the machine is too busy`,
      retryable: true,
      facts: { path },
      cause,
    });
  }
}

/** `exited with code 3` or `was ended by SIGKILL`. */
export function describeExit(report: ExitReport): string {
  return report.signal === null ? `exited with code ${report.code}` : `was ended by ${report.signal}`;
}

/** The last three lines: tools name the cause first and the consequence last. */
function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-3).join(' ').slice(0, 600);
}

/** A tool that should answer in a few lines wrote without end. */
export class ToolOutputTooLongError extends DomainError {
  constructor(tool: string, maxBytes: number) {
    super({
      code: 'tool-output-too-long',
      kind: 'unprocessable',
      detail: `${tool} wrote more than the ${maxBytes} bytes that its answer may have`,
      facts: { tool, max_bytes: maxBytes },
    });
  }
}

/** The folder for temporary files cannot be emptied or made. */
export class WorkFolderUnusableError extends DomainError {
  constructor(path: string, cause: unknown) {
    super({
      code: 'work-folder-unusable',
      kind: 'unavailable',
      detail: `the work folder ${path} cannot be used (${cause instanceof Error ? cause.message : 'unknown'}); check WORK_DIR`,
      facts: { path },
      cause,
    });
  }
}

/** Another service of this machine has the folder for its temporary files. */
export class WorkFolderInUseError extends DomainError {
  constructor(path: string) {
    super({
      code: 'work-folder-in-use',
      kind: 'conflict',
      detail: `another Backstop on this machine uses the work folder ${path}; stop it, or give each its own WORK_DIR`,
      facts: { path },
    });
  }
}
