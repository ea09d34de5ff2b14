// @ts-check
import { spawn } from 'node:child_process';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] Added to this process's environment.
 *
 * @typedef {object} Finished
 * @property {number} code Exit code; 127 when the program is absent, 128 when a signal ended it.
 * @property {string} stdout
 * @property {string} output Both streams in the order in which they came, for showing to people.
 */

/** A program that had to succeed and did not; `message` ends with what it printed last. */
export class CommandFailedError extends Error {
  /**
   * @param {string} file
   * @param {readonly string[]} args
   * @param {Finished} finished
   */
  constructor(file, args, finished) {
    const printed = finished.output.trimEnd().split('\n').slice(-40).join('\n');
    super(`${[file, ...args].join(' ')} ended with code ${finished.code}\n${printed}`);
    this.name = 'CommandFailedError';
  }
}

/**
 * Runs a program to its end without showing what it prints. Never rejects: a missing program is code 127.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Finished>}
 */
export function run(file, args, options = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(file, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, stdout, output: `${output}${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, output }));
  });
}

/**
 * Runs a program that must exit 0 and gives what it wrote to stdout, trimmed.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>}
 */
export async function must(file, args, options) {
  const finished = await run(file, args, options);
  if (finished.code !== 0) throw new CommandFailedError(file, args, finished);
  return finished.stdout.trim();
}

/**
 * Runs a program in the foreground: it shares this terminal, and gets its signals.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<number>} Its exit code.
 */
export function foreground(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(file, args, { cwd: options.cwd, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 */
export async function succeeds(file, args) {
  return (await run(file, args)).code === 0;
}
