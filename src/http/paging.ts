import { applyDecorators, type Type } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import type { Response } from 'express';

import { InvalidCursorError } from './http.errors.js';
import { type PageQuery } from './page.dto.js';

/**
 * Paging by key: a cursor holds the sort keys of the last row of a page, and the next page is "what comes after these". Unlike an
 * offset it neither skips nor repeats a row when others come and go in between, and costs the same on every page.
 */
export interface Page<Row> {
  rows: readonly Row[];
  /** How many rows the whole list has. */
  total: number;
  /** Leads to the next page; undefined on the last one. */
  nextCursor: string | undefined;
}

/**
 * The sort keys that the query's cursor holds, or undefined for the first page. Throws `invalid-cursor` when they are not
 * `count` texts.
 */
export function readCursor(query: PageQuery, count: number): readonly string[] | undefined {
  if (query.cursor === undefined) return undefined;
  let keys: unknown;
  try {
    keys = JSON.parse(Buffer.from(query.cursor, 'base64url').toString('utf8'));
  } catch (error) {
    throw new InvalidCursorError(error);
  }
  if (!Array.isArray(keys) || keys.length !== count || !keys.every(isKey)) {
    throw new InvalidCursorError();
  }
  return keys;
}

/**
 * Makes a page of rows that were read with `take: query.limit + 1`: the row too many shows that there is a next page.
 * `keysOf` gives the sort keys that `readCursor` of the next request will find.
 */
export function toPage<Row>(
  found: readonly Row[],
  query: PageQuery,
  total: number,
  keysOf: (row: Row) => readonly string[],
): Page<Row> {
  const rows = found.slice(0, query.limit);
  const last = rows.at(-1);
  const more = found.length > query.limit && last !== undefined;
  return { rows, total, nextCursor: more ? writeCursor(keysOf(last)) : undefined };
}

/** Sets `X-Total-Count` and `Link`, and gives the views: `return answerPage(response, page, toBackupView)`. */
export function answerPage<Row, View>(
  response: Response,
  page: Page<Row>,
  toView: (row: Row) => View,
): View[] {
  setPageHeaders(response, page);
  return page.rows.map(toView);
}

/** Sets `X-Total-Count` and `Link`. */
export function setPageHeaders(
  response: Response,
  { total, nextCursor }: Pick<Page<unknown>, 'total' | 'nextCursor'>,
): void {
  response.setHeader('X-Total-Count', total);
  if (nextCursor === undefined) return;
  // Relative to the request (RFC 8288), so that it holds behind any proxy.
  const [path = '', search] = response.req.originalUrl.split('?', 2);
  const query = new URLSearchParams(search);
  query.set('cursor', nextCursor);
  response.setHeader('Link', `<${path}?${query.toString()}>; rel="next"`);
}

/** Documents a list's answer with its headers. */
export function PagedResponse(view: Type<unknown>): MethodDecorator {
  const text = { schema: { type: 'string' as const } };
  return applyDecorators(
    ApiOkResponse({
      type: [view],
      headers: {
        'X-Total-Count': { description: 'How many there are in all.', schema: { type: 'integer' } },
        Link: { description: 'The next page, when there is one: `</…?cursor=…>; rel="next"`.', ...text },
      },
    }),
  );
}

function writeCursor(keys: readonly string[]): string {
  return Buffer.from(JSON.stringify(keys), 'utf8').toString('base64url');
}

/** PostgreSQL takes no NUL in a text. */
function isKey(key: unknown): key is string {
  return typeof key === 'string' && !key.includes('\0');
}
