import type { Response } from 'express';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { answerPage, readCursor, toPage } from './paging.js';

/** The part of a response that paging uses. */
function responseTo(originalUrl: string): { response: Response; headers: Map<string, unknown> } {
  const headers = new Map<string, unknown>();
  const response = {
    req: { originalUrl },
    setHeader: (name: string, value: unknown) => headers.set(name, value),
  } as unknown as Response;
  return { response, headers };
}

const rows = Array.from({ length: 7 }, (_, index) => ({ id: `id ${index}`, at: `2026-01-0${index}` }));

describe('a page', () => {
  it('leads to the next one by the keys of its last row', () => {
    const page = toPage(rows.slice(0, 4), { limit: 3 }, 7, (row) => [row.at, row.id]);
    const { response, headers } = responseTo('/backups?status=completed&limit=3');
    expect(answerPage(response, page, (row) => row.id)).toEqual(['id 0', 'id 1', 'id 2']);
    expect(headers.get('X-Total-Count')).toBe(7);
    const link = /^<(\/backups\?status=completed&limit=3&cursor=[\w-]+)>; rel="next"$/.exec(
      String(headers.get('Link')),
    );
    const cursor = new URL(link?.[1] ?? '', 'http://x').searchParams.get('cursor') ?? '';
    expect(readCursor({ limit: 3, cursor }, 2)).toEqual(['2026-01-02', 'id 2']);
  });

  it('is the last when no row is left over', () => {
    const page = toPage(rows.slice(0, 3), { limit: 3 }, 3, (row) => [row.id]);
    const { response, headers } = responseTo('/backups');
    expect(answerPage(response, page, (row) => row.id)).toHaveLength(3);
    expect(headers.has('Link')).toBe(false);
    expect(toPage([], { limit: 3 }, 0, () => []).nextCursor).toBeUndefined();
  });

  it('replaces the cursor of the page before', () => {
    const page = toPage(rows, { limit: 2 }, 7, (row) => [row.id]);
    const { response, headers } = responseTo('/backups?cursor=old&limit=2');
    answerPage(response, page, (row) => row.id);
    expect(String(headers.get('Link')).match(/cursor=/g)).toHaveLength(1);
  });
});

describe('a cursor', () => {
  it('gives back any keys', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 }), (keys) => {
        const { nextCursor } = toPage(['row', 'more'], { limit: 1 }, 2, () => keys);
        expect(readCursor({ limit: 1, cursor: nextCursor ?? '' }, keys.length)).toEqual(keys);
      }),
    );
  });

  it.each(['', 'nonsense', '%%%', 'bnVsbA', 'WzEsMl0', 'WyJvbmUiXQ'])(
    'that is not ours is refused: %s',
    (cursor) => {
      expect(() => readCursor({ limit: 1, cursor }, 2)).toThrow(
        expect.objectContaining({ code: 'invalid-cursor' }),
      );
    },
  );

  it('may be left out', () => {
    expect(readCursor({ limit: 1 }, 2)).toBeUndefined();
  });
});
