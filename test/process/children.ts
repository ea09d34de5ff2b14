import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { SystemClock } from '../../src/clock/system-clock.js';
import type { Command } from '../../src/process/command.js';
import type { ChildWatch } from '../../src/process/running-child.js';

export const clock = new SystemClock();

/** A real child: a shell script. */
export function shell(script: string, ...args: string[]): Command {
  return { file: '/bin/sh', args: ['-c', script, 'sh', ...args] };
}

export function watch(more: Partial<ChildWatch> = {}): ChildWatch {
  return { clock, signal: new AbortController().signal, ...more };
}

/** How reading a stream to its end went: the bytes, or the error and how many bytes came before it. */
export async function readAll(bytes: Readable): Promise<{ size: number; error?: unknown }> {
  let size = 0;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) size += chunk.length;
    return { size };
  } catch (error) {
    return { size, error };
  }
}

export async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await finished(stream, { cleanup: true }).catch(() => undefined);
  await until(() => stream.closed, 'the stream is closed');
}

/** Polls until `condition` holds; fails after `deadlineMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 5000,
): Promise<void> {
  const deadline = clock.monotonicMs() + deadlineMs;
  while (!(await condition())) {
    if (clock.monotonicMs() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(10);
  }
}

/** Whether a process is there and not just waiting to be reaped. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}
