import { expect, it } from 'vitest';

import { pointersToNul } from './nul-search.js';

it.each([
  [undefined, []],
  [null, []],
  [{}, []],
  [{ name: 'shop', port: 5432, tls: null, tables: ['a', 'b'] }, []],
  [{ name: 'sh\0op', description: '\\u0000' }, ['/name']],
  [{ options: { exclude_tables: ['a', 'b\0'] } }, ['/options/exclude_tables/1']],
  [{ parameters: { 'a/\0': 'x' } }, ['/parameters/a~1\0']],
])('finds each NUL in %j', (body, pointers) => {
  expect(pointersToNul(body)).toEqual(pointers);
});
