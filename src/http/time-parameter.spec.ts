import 'reflect-metadata';

import { expect, it } from 'vitest';

import { readTime } from './time-parameter.decorator.js';

it.each([
  ['2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['2026-11-01T03:00Z', '2026-11-01T03:00:00.000Z'],
  ['2026-11-01T03:00:07.5+07:00', '2026-10-31T20:00:07.500Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
])('reads %s', (text, time) => {
  expect(readTime(text).toISOString()).toBe(time);
});

it.each([
  'yesterday',
  '',
  '5',
  '2026',
  '2026-11',
  '2026-02-30',
  '2026-13-01',
  '2026-11-01T25:00Z',
  '2026-11-01T03:00',
  7,
])('takes %j for no time', (text) => {
  expect(readTime(text).getTime()).toBeNaN();
});
