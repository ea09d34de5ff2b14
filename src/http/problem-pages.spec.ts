import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { describe, expect, it } from 'vitest';

import { PROBLEM_KINDS, type ProblemKind } from '../errors/domain-error.js';
import { readPage } from './problem-pages.js';
import { statusOfKind } from './problem-status.js';

const ROOT = new URL('../../', import.meta.url).pathname;

/** A code as the sources declare it, with the status that its kind, or HTTP's own `super(413, …)`, gives it. */
interface Declared {
  code: string;
  status: number | undefined;
  file: string;
}

/** Every `code: '…'` of the rooms' errors. `kind` stands in the same object, within the next or the last few lines. */
function declaredCodes(): Declared[] {
  return globSync('src/**/*.errors.ts', { cwd: ROOT }).flatMap((file) => {
    const classes = readFileSync(`${ROOT}${file}`, 'utf8').split(/^(?=export (?:abstract )?class )/m);
    return classes.flatMap((text) =>
      [...text.matchAll(/\bcode: '([^']+)'/g)].map(([, code = '']) => {
        const own = /super\((\d{3}),/.exec(text)?.[1];
        const kinds = [...text.matchAll(/\bkind: '([^']+)'/g)].map(([, kind]) => kind);
        const kind = PROBLEM_KINDS.find(
          (each): each is ProblemKind => kinds.length === 1 && each === kinds[0],
        );
        const byKind = kind === undefined ? undefined : statusOfKind(kind);
        return { code, status: own === undefined ? byKind : Number(own), file };
      }),
    );
  });
}

const declared = declaredCodes();
const pages = globSync('docs/problems/*.md', { cwd: ROOT }).map((file) =>
  readPage(basename(file, '.md'), readFileSync(`${ROOT}${file}`, 'utf8')),
);

describe('the pages of the problems', () => {
  it('are there for every code, and for nothing else', () => {
    const codes = declared.map(({ code }) => code);
    expect(codes.length).toBeGreaterThan(10);
    expect(pages.map(({ code }) => code).toSorted()).toEqual([...new Set(codes)].toSorted());
  });

  it('tell the status that the code has', () => {
    const wrong = declared.flatMap(({ code, status, file }) => {
      const page = pages.find((each) => each.code === code);
      if (page === undefined || status === undefined || page.status === status) return [];
      return [`docs/problems/${code}.md: needs the line "HTTP status ${status}" (${file})`];
    });
    expect(wrong).toEqual([]);
  });

  it('begin with their title, have a status and say what to do', () => {
    const incomplete = pages.filter(
      ({ code, title, status, markdown }) =>
        title === code ||
        status === undefined ||
        !markdown.startsWith('# ') ||
        !/\*\*What to do/.test(markdown),
    );
    expect(incomplete.map(({ code }) => code)).toEqual([]);
  });

  it('have titles that differ', () => {
    const titles = pages.map(({ title }) => title.toLowerCase());
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});
