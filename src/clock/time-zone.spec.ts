import { describe, expect, it } from 'vitest';

import { isTimeZone, TimeZone } from './time-zone.js';

const utc = (text: string): number => Date.parse(`${text}Z`);

describe('a time zone', () => {
  it.each([
    ['once', 'Europe/Berlin', '2026-06-01T12:00', '2026-06-01T10:00', 'once'],
    ['in the hour that is left out', 'Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:00', 'never'],
    [
      'at the first moment that is left out',
      'Europe/Berlin',
      '2026-03-29T02:00',
      '2026-03-29T01:00',
      'never',
    ],
    ['at the first moment after it', 'Europe/Berlin', '2026-03-29T03:00', '2026-03-29T01:00', 'once'],
    ['in the hour that comes twice', 'Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30', 'twice'],
    ['at the end of that hour', 'Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00', 'once'],
    ['on a day that an island left out', 'Pacific/Apia', '2011-12-30T03:00', '2011-12-30T10:00', 'never'],
    [
      'where the clock moves by half an hour',
      'Australia/Lord_Howe',
      '2026-10-04T02:15',
      '2026-10-03T15:30',
      'never',
    ],
    ['where midnight is left out', 'America/Asuncion', '2023-10-01T00:00', '2023-10-01T04:00', 'never'],
    ['before 1970', 'Europe/Paris', '1930-06-01T12:00', '1930-06-01T11:00', 'once'],
  ])('finds a local time %s', (_, zone, local, instant, occurs) => {
    const found = TimeZone.of(zone).toInstant(utc(local));
    expect({ ...found, at: new Date(found.at).toISOString() }).toEqual({
      at: new Date(utc(instant)).toISOString(),
      occurs,
    });
  });

  it('knows the offset to the second before and after a change', () => {
    const berlin = TimeZone.of('Europe/Berlin');
    const change = utc('2026-03-29T01:00');
    expect([change - 1, change].map((at) => berlin.offsetAt(at) / 3_600_000)).toEqual([1, 2]);
  });

  it.each([
    ['Asia/Jakarta', true],
    ['UTC', true],
    ['europe/berlin', true],
    ['Mars/Olympus', false],
    ['+02:00', false],
    ['', false],
  ])('is it a zone: %s %s', (name, known) => {
    expect(isTimeZone(name)).toBe(known);
  });
});
