import type { FoundTool, ToolFinder } from '../../process/tool-finder.js';
import { smallestAtLeast } from '../../process/tool-finder.js';
import type { ToolReport } from '../engine.js';
import { ToolMissingError, ToolTooOldError } from '../tools.errors.js';

export type PostgresTool = 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql';

/** Where packages of the usual systems put client tools, one folder per major version. */
export const POSTGRES_TOOL_PATTERNS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/libexec/postgresql*',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/opt/homebrew/opt/libpq/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/usr/local/opt/libpq/bin',
  '/Library/PostgreSQL/*/bin',
] as const;

/** Client tools by the version that a task needs. A tool understands its own major version and every older one. */
export class PostgresTools {
  readonly #finder: ToolFinder;

  constructor(finder: ToolFinder) {
    this.#finder = finder;
  }

  /** Every `pg_dump` that was found, newest first. */
  async all(): Promise<ToolReport[]> {
    const found = await this.#finder.find('pg_dump');
    return found.map(({ name, version, major, path }) => ({ name, version, major, path }));
  }

  /**
   * The smallest version of a tool that is at least `major`: newer ones also work, but print things that older servers do not
   * understand. Rejects with `tool-missing`, `tool-too-old` or `tool-unanswered`; `because` begins a sentence: "a server of version 17".
   */
  async atLeast(tool: PostgresTool, major: number, because: string): Promise<FoundTool> {
    const { found, unanswered } = await this.#finder.search(tool);
    const fitting = smallestAtLeast(found, major);
    if (fitting !== undefined) return fitting;
    if (unanswered !== undefined) throw unanswered;
    const newest = found[0];
    if (newest === undefined) throw new ToolMissingError(tool, install(major));
    throw new ToolTooOldError(tool, { major, because }, newest.version, install(major));
  }

  /** The newest version of a tool. Rejects with `tool-missing`. */
  newest(tool: PostgresTool): Promise<FoundTool> {
    return this.atLeast(tool, 0, 'this');
  }
}

function install(major: number): string {
  const [deb, rpm] =
    major > 0 ? [`postgresql-client-${major}`, `postgresql${major}`] : ['postgresql-client', 'postgresql'];
  return `install the package ${deb} (Debian, Ubuntu) or ${rpm} (Red Hat), or name its folder in PG_BIN_DIRS`;
}
