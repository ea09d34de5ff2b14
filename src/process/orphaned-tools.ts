import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';

import type { Clock } from '../clock/clock.js';

/** From SIGTERM, by which a tool of PostgreSQL cancels its query on the server, to SIGKILL. */
const TERM_GRACE_MS = 2000;
/** How long one that was sent SIGKILL may be seen, until the system has taken it away. */
const KILL_GRACE_MS = 1000;
const POLL_MS = 20;

/**
 * Ends the tools that a dead predecessor has left running. A process that is killed takes its threads with it, but not its
 * children: `pg_dump` lives until its next write, `pg_restore` until the server answers, and both may wait for hours.
 *
 * They are recognised by their environment: HOME of every tool that works on a database is a folder below `workFolder`, which is
 * private to one service. What a tool has started has inherited that. So the caller must hold the lock on this folder: then
 * nobody else can have started one, and we have not yet. No process ids are written down, which a crash could leave
 * unwritten and a restart of the machine could give to others. Where there is no `/proc`, nothing is found.
 *
 * @returns how many there were
 */
export async function endOrphanedTools(workFolder: string, clock: Clock): Promise<number> {
  const found = (await toolsOf(workFolder)).length;
  if (found === 0) return 0;
  await signalUntilGone(workFolder, 'SIGTERM', TERM_GRACE_MS, clock);
  await signalUntilGone(workFolder, 'SIGKILL', KILL_GRACE_MS, clock);
  return found;
}

/** Looks anew each time, because a tool may start another one before it ends. */
async function signalUntilGone(
  workFolder: string,
  signal: NodeJS.Signals,
  graceMs: number,
  clock: Clock,
): Promise<void> {
  const signalled = new Set<number>();
  const deadline = clock.monotonicMs() + graceMs;
  for (;;) {
    const left = await toolsOf(workFolder);
    for (const pid of left) {
      if (!signalled.has(pid)) send(pid, signal, workFolder);
      signalled.add(pid);
    }
    if (left.length === 0 || clock.monotonicMs() >= deadline) return;
    await clock.sleep(POLL_MS);
  }
}

async function toolsOf(workFolder: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []); // another kind of system
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isToolOf(pid, workFolder));
}

/** Looks once more directly before, so that no number is hit that has been given to somebody else meanwhile. */
function send(pid: number, signal: NodeJS.Signals, workFolder: string): void {
  if (!isToolOf(pid, workFolder)) return;
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}

/** A process of another user cannot be read, and is not ours. One that has ended and waits to be reaped has no environment. */
function isToolOf(pid: number, workFolder: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.some((variable) => variable.startsWith(`HOME=${workFolder}${sep}`));
  } catch {
    return false;
  }
}
