import { openChildSource } from './child-source.js';
import type { Command } from './command.js';
import { ToolOutputTooLongError } from './process.errors.js';
import type { ChildWatch } from './running-child.js';

/** More than any `--version` or list that we read whole. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs a tool whose answer is short, and gives its stdout. Rejects when it did not exit 0, when it wrote more than
 * `maxBytes`, or when the signal aborted.
 */
export async function runTool(
  command: Command,
  watch: ChildWatch,
  maxBytes: number = MAX_OUTPUT_BYTES,
): Promise<string> {
  const { bytes } = await openChildSource(command, watch);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new ToolOutputTooLongError(command.file, maxBytes); // leaving the loop ends the tool
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
