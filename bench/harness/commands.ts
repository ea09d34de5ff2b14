import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a line of bash, in which every part of a pipe must succeed, and gives its wall seconds. What it left unwritten in
 * memory is flushed afterwards, so that the next contestant does not pay for it.
 */
export async function timedShell(line: string, env: Record<string, string>): Promise<number> {
  const began = performance.now();
  await shell(line, env);
  const taken = (performance.now() - began) / 1000;
  await flushDisks();
  return taken;
}

/** Runs a line of bash; rejects with what it said when a part of it fails. */
export async function shell(line: string, env: Record<string, string> = {}): Promise<void> {
  const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${line} ended with ${child.exitCode}: ${said.trimEnd()}`);
}

/** Waits until all that was written is on the disk. */
export async function flushDisks(): Promise<void> {
  await shell('sync');
}
