/**
 * Loaded into a service before its own code (`node --import`): while the file is there that BACKSTOP_HANGING_DISK names, no
 * long read and no flush of a file comes to its end, as on a share whose server does not answer; and, as Node has it, no file is
 * closed while one of its reads is under way.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const sign = process.env['BACKSTOP_HANGING_DISK'] ?? '';
/** Archives are read in longer pieces than anything else. */
const LONG_BYTES = 64 * 1024;

async function untilItAnswers(): Promise<void> {
  while (existsSync(sign)) await delay(5);
}

const file = await open(process.execPath);
const methods: FileHandle = Object.getPrototypeOf(file);
await file.close();
const { close, read, sync } = methods;
const hanging = new WeakMap<FileHandle, Promise<void>>();
methods.sync = async function hangingSync(this: FileHandle) {
  await untilItAnswers();
  return sync.call(this);
};
methods.read = async function hangingRead(this: FileHandle, ...args: unknown[]) {
  if (Number(args[2]) >= LONG_BYTES) {
    const answered = untilItAnswers();
    hanging.set(this, answered);
    await answered;
  }
  return Reflect.apply(read, this, args);
} as FileHandle['read'];
methods.close = async function closeWhenRead(this: FileHandle) {
  await hanging.get(this);
  return close.call(this);
};
