import { existsSync, readFileSync } from 'node:fs';

/** What the page of a problem says: the one place that has its title and its status for people. */
export interface ProblemPage {
  code: string;
  title: string;
  /** Undefined in a page that lacks the line, which a test finds. */
  status: number | undefined;
  /** The whole page. */
  markdown: string;
}

const FOLDER = new URL('../../docs/problems/', import.meta.url);
const CODE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const pages = new Map<string, ProblemPage>();

/** The page `docs/problems/<code>.md`, or `undefined` when there is none. Read once. */
export function findProblemPage(code: string): ProblemPage | undefined {
  const known = pages.get(code);
  if (known) return known;
  const file = new URL(`${code}.md`, FOLDER);
  if (!CODE.test(code) || !existsSync(file)) return undefined;
  const page = readPage(code, readFileSync(file, 'utf8'));
  pages.set(code, page);
  return page;
}

/**
 * Reads a page: its first line is the title (`# Title`), and a line `HTTP status NNN` follows. A test finds every page that
 * lacks them; at run time a missing line must not turn one problem into another.
 */
export function readPage(code: string, markdown: string): ProblemPage {
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  const status = /^HTTP status (\d{3})$/m.exec(markdown)?.[1];
  return {
    code,
    title: title?.trim() ?? code,
    status: status === undefined ? undefined : Number(status),
    markdown,
  };
}

/** Where the API serves the page; the `type` of a problem. */
export function problemType(code: string): string {
  return `/docs/problems/${code}`;
}
