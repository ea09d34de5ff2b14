import { Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

import { abortReason } from './abort-reason.js';
import type { Command, ExitReport } from './command.js';
import { type ChildWatch, RunningChild } from './running-child.js';

/**
 * Moves descriptor 3 to stdin and becomes the tool. Node gives stdin as a one-way stream, which cannot tell what the tool
 * left unread; descriptor 3 is a socket that we can also listen on, and the kernel reports `ECONNRESET` there when its
 * other end was closed with bytes still in it. The tool's words are arguments, never part of the script.
 */
const STDIN_FROM_3 = ['/bin/sh', '-c', 'exec "$@" 0<&3 3<&-', 'sh'];

/** How feeding the input ended. `input` failed, or the `tool` did not take it. */
type Feeding = { end: 'fed' } | { end: 'tool' } | { end: 'input'; error: unknown };

/**
 * Starts a tool and feeds it `input` on stdin. Resolves only if the tool exited 0 **and** read all of its input: a tool
 * that stops reading early has not loaded everything, whatever it says. Stdout is thrown away.
 *
 * When the input fails, the tool is ended *before* its stdin is closed, so that it never takes a broken stream for a
 * complete one. `input` is read to its end or destroyed. Rejects with the input's error, the signal's reason, the watch's
 * `failure`, or `tool-not-started`.
 */
export async function runChildSink(
  command: Command,
  input: Readable,
  watch: ChildWatch,
): Promise<ExitReport> {
  input.on('error', () => undefined); // it may fail before anybody reads; reading tells
  let child: RunningChild;
  try {
    child = await RunningChild.start(command, ['ignore', 'ignore', 'pipe', 'pipe'], watch, STDIN_FROM_3);
  } catch (error) {
    input.destroy();
    throw error;
  }
  const onAbort = (): void => {
    // A tool that has taken all of its input may still be at work on it; it is not ended by the input.
    void child.stop();
    input.destroy(abortReason(watch.signal));
  };
  watch.signal.addEventListener('abort', onAbort, { once: true });
  if (watch.signal.aborted) onAbort();
  try {
    return await feedAndJudge(child, input, watch);
  } finally {
    watch.signal.removeEventListener('abort', onAbort);
    await child.stop();
    child.process.stdio[3]?.destroy();
    input.destroy();
  }
}

async function feedAndJudge(child: RunningChild, input: Readable, watch: ChildWatch): Promise<ExitReport> {
  const stdin = child.process.stdio[3];
  if (!(stdin instanceof Duplex)) throw new TypeError('the child was started without descriptor 3');
  const taken = wasReadToItsEnd(stdin);
  const feeding = feed(input, stdin);
  const badExit = child.exited.then((report) => (child.isGood(report) ? feeding : undefined));
  const fed = await Promise.race([feeding, badExit]);
  if (fed?.end === 'input') {
    await child.stop();
    watch.signal.throwIfAborted();
    throw fed.error;
  }
  const report = await child.exited;
  watch.signal.throwIfAborted();
  if (!child.isGood(report)) throw child.failure(report);
  if (fed?.end !== 'fed' || !(await taken)) {
    throw child.failure(report, 'exited with code 0 without having read all of its input');
  }
  return report;
}

/**
 * Writes all of `input`, and its end. Goes on after the tool has exited 0: a tool that knows where its input ends may exit
 * before that end comes, and only the end of `input` says that the input was good.
 */
async function feed(input: Readable, stdin: Duplex): Promise<Feeding> {
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      if (!stdin.writable) return { end: 'tool' };
      if (!stdin.write(chunk)) await drained(stdin);
    }
  } catch (error) {
    return { end: 'input', error };
  }
  stdin.end();
  return { end: 'fed' };
}

/**
 * Resolves when more can be written, or never will be: the loop sees that stdin is not writable. Not a race with a promise that
 * lives as long as the tool: that one would remember every chunk which had to wait, hundreds of bytes each.
 */
async function drained(stdin: Duplex): Promise<void> {
  const over = ['drain', 'close', 'error', 'finish'];
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of over) stdin.off(event, done);
      resolve();
    };
    for (const event of over) stdin.on(event, done);
  });
}

/** True when the tool's end was closed with nothing unread in it. Never rejects. */
async function wasReadToItsEnd(stdin: Duplex): Promise<boolean> {
  stdin.resume();
  try {
    await finished(stdin);
    return true;
  } catch {
    return false;
  }
}
