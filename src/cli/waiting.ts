import { InvalidArgumentError } from 'commander';

import { CliError, EXIT } from './cli.errors.js';
import type { Context } from './context.js';
import { formatBar, formatBytes, StatusLine } from './terminal.js';

/** Work as the API shows it: a backup, a restore or a verification. */
export interface Work {
  id: string;
  status: string;
  progress?: {
    phase: string;
    bytes: number;
    bytes_total?: number | null;
    items_done?: number;
    items_total?: number | null;
  };
  /** Of a verification: what is known by it. */
  outcome?: string | null;
  error: { code: string; detail: string } | null;
}

const LOOK_EVERY_MS = 300;

/** Reads the value of `--timeout`. */
export function readSeconds(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be whole seconds.');
  return Number(text);
}

/**
 * Waits until work has ended well, with a bar on a terminal.
 * @throws CliError when it ends otherwise, or when `timeoutSeconds` are over
 */
export async function waitFor<W extends Work>(
  context: Context,
  path: string,
  timeoutSeconds: number,
): Promise<W> {
  const { api, clock } = context;
  const untilMs = clock.monotonicMs() + timeoutSeconds * 1000;
  const line = new StatusLine(context);
  try {
    for (;;) {
      const work = await api.get<W>(path);
      line.show(describeProgress(work));
      if (work.status === 'completed') return work;
      if (work.status !== 'queued' && work.status !== 'running') throw endedBadly(work);
      if (clock.monotonicMs() >= untilMs) {
        throw new CliError(
          EXIT.waitedInVain,
          `${work.id} is still ${work.status} after ${timeoutSeconds} s; it goes on.`,
        );
      }
      await clock.sleep(LOOK_EVERY_MS);
    }
  } finally {
    line.clear();
  }
}

function endedBadly(work: Work): CliError {
  const why = work.error === null ? '' : ` ${work.error.code}: ${work.error.detail}`;
  // What could not be looked at is not called bad.
  const unknown = work.status === 'failed' && work.outcome === 'unknown' ? ', and its outcome unknown' : '';
  return new CliError(EXIT.workFailed, `${work.id} is ${work.status}${unknown}.${why}`, work);
}

/** One line: a bar where the whole is known, and what is going on. */
export function describeProgress({ status, progress }: Work): string {
  if (progress === undefined) return status;
  const { phase, bytes } = progress;
  return `${barOf(progress)}${phase} ${formatBytes(bytes)}`;
}

/** By tables or collections where they are counted, else by bytes. */
function barOf({ bytes, bytes_total, items_done = 0, items_total }: NonNullable<Work['progress']>): string {
  if (typeof items_total === 'number')
    return `${formatBar(items_done, items_total)} ${items_done}/${items_total} `;
  return typeof bytes_total === 'number' ? `${formatBar(bytes, bytes_total)} ` : '';
}
