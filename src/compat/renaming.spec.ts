import { expect, it } from 'vitest';

import { renameFields } from './renaming.js';

const names = { cron_expression: 'cron', is_active: 'enabled' };

it.each<[unknown, unknown]>([
  [
    { cron_expression: '0 3 * * *', is_active: false, name: 'x' },
    { cron: '0 3 * * *', enabled: false, name: 'x' },
  ],
  [{ cron: '0 3 * * *' }, { cron: '0 3 * * *' }],
  [{ is_active: null }, { enabled: null }],
  [{}, {}],
  [undefined, undefined],
  ['text', 'text'],
])('gives the fields of %j their names of today', (body, expected) => {
  expect(renameFields(body, names)).toEqual([]);
  expect(body).toEqual(expected);
});

it('refuses a field under both names, also when they agree', () => {
  expect(renameFields({ cron: 'a', cron_expression: 'a', is_active: true }, names)).toEqual([
    { pointer: '/cron_expression', detail: 'and cron are the same; leave one of them out' },
  ]);
});
