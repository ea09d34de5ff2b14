import { access, constants, glob, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import type { Clock } from '../clock/clock.js';
import { ToolNotStartedError, ToolUnansweredError } from './process.errors.js';
import { runTool } from './run-tool.js';

/** A tool answers `--version` at once, unless the machine is very busy. */
const VERSION_TIMEOUT_MS = 5000;
const NO_ROOM: readonly string[] = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'];

/** An executable that said its version. */
export interface FoundTool {
  name: string;
  /** Absolute path. */
  path: string;
  /** As it says itself: `17.6`. */
  version: string;
  major: number;
}

/** Where executables are looked for, in this order. The first of each major version wins. */
export interface ToolSearch {
  /** Folders that the operator named. */
  folders: readonly string[];
  /** Folders where packages put tools, as glob patterns. */
  patterns: readonly string[];
  /** The value of `PATH`. */
  path: string;
}

interface CachedVersion {
  mtimeMs: number;
  sizeBytes: number;
  version: string;
}

/**
 * Finds client tools on this machine and asks each for its version. Looks anew at every call, so that a package installed
 * while the service runs is found, but asks a file for its version only when the file is new or changed.
 */
export class ToolFinder {
  readonly #search: ToolSearch;
  readonly #clock: Clock;
  readonly #versions = new Map<string, CachedVersion>();

  constructor(search: ToolSearch, clock: Clock) {
    this.#search = search;
    this.#clock = clock;
  }

  /** Every major version of the tool `name`, newest first. Executables that do not answer are left out. */
  async find(name: string): Promise<FoundTool[]> {
    return (await this.search(name)).found;
  }

  /**
   * The same, with why an executable that may be good did not answer now: the machine was too busy, or had no process left. Whoever
   * finds no other should say so, and not that nothing is installed.
   */
  async search(name: string): Promise<{ found: FoundTool[]; unanswered?: ToolUnansweredError }> {
    const byMajor = new Map<number, FoundTool>();
    let unanswered: ToolUnansweredError | undefined;
    for (const path of await this.#candidates(name)) {
      const version = await this.#versionOf(path);
      if (version instanceof ToolUnansweredError) unanswered ??= version;
      if (typeof version !== 'string') continue;
      const major = Number.parseInt(version, 10);
      if (!byMajor.has(major)) byMajor.set(major, { name, path, version, major });
    }
    const found = [...byMajor.values()].sort((a, b) => b.major - a.major);
    return unanswered === undefined ? { found } : { found, unanswered };
  }

  async #candidates(name: string): Promise<string[]> {
    const folders = [...this.#search.folders];
    for (const pattern of this.#search.patterns) {
      for await (const folder of glob(pattern)) folders.push(folder);
    }
    folders.push(...this.#search.path.split(delimiter).filter((folder) => folder.startsWith('/')));
    const files = new Map<string, string>();
    for (const folder of folders) {
      const file = await executableIn(folder, name);
      if (file !== undefined && !files.has(file.real)) files.set(file.real, file.path);
    }
    return [...files.values()];
  }

  async #versionOf(path: string): Promise<string | ToolUnansweredError | undefined> {
    const { mtimeMs, size: sizeBytes } = await stat(path);
    const cached = this.#versions.get(path);
    if (cached?.mtimeMs === mtimeMs && cached.sizeBytes === sizeBytes) return cached.version;
    const version = await this.#askVersion(path);
    // No answer is not remembered: the machine may have been too busy.
    if (typeof version === 'string') this.#versions.set(path, { mtimeMs, sizeBytes, version });
    return version;
  }

  async #askVersion(path: string): Promise<string | ToolUnansweredError | undefined> {
    const answered = new AbortController();
    const late = new AbortController();
    this.#clock.sleep(VERSION_TIMEOUT_MS, answered.signal).then(
      () => late.abort(new Error(`${path} --version did not answer`)),
      () => undefined,
    );
    try {
      const command = { file: path, args: ['--version'] };
      const said = await runTool(command, { clock: this.#clock, signal: late.signal });
      return /\d+(?:\.\d+)*(?:(?:devel|beta|rc)\d*)?/.exec(said)?.[0];
    } catch (error) {
      if (late.signal.aborted)
        return new ToolUnansweredError(path, `no answer within ${VERSION_TIMEOUT_MS / 1000} s`);
      if (hasNoRoomNow(error)) return new ToolUnansweredError(path, error.message, error);
      return undefined; // not a tool that can be used: the same as not found
    } finally {
      answered.abort();
    }
  }
}

/** The machine has no process, file or memory left for another program, at this moment. */
function hasNoRoomNow(error: unknown): error is Error {
  if (!(error instanceof ToolNotStartedError) || !(error.cause instanceof Error)) return false;
  return 'code' in error.cause && NO_ROOM.includes(String(error.cause.code));
}

/** Of the found versions the smallest that is at least `major`: old enough to be kind, new enough to understand. */
export function smallestAtLeast(tools: readonly FoundTool[], major: number): FoundTool | undefined {
  return tools.filter((tool) => tool.major >= major).sort((a, b) => a.major - b.major)[0];
}

async function executableIn(
  folder: string,
  name: string,
): Promise<{ path: string; real: string } | undefined> {
  const path = join(folder, name);
  try {
    await access(path, constants.X_OK);
    return { path, real: await realpath(path) };
  } catch {
    return undefined;
  }
}
