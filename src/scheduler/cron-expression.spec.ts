import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CronSyntaxError, matchesDay, parseCron } from './cron-expression.js';

describe('a cron expression', () => {
  it.each([
    ['0 3 * * *', [180]],
    ['*/15 1 * * *', [60, 75, 90, 105]],
    ['5,1-3 0 * * *', [1, 2, 3, 5]],
    ['0-10/5 0,23 * * *', [0, 5, 10, 1380, 1385, 1390]],
    ['  0   3  * * * ', [180]],
  ])('%s fires at these minutes of a day', (text, times) => {
    expect(parseCron(text).timesOfDay).toEqual(times);
  });

  it.each([
    ['0 0 * jan,MAR *', [1, 3]],
    ['0 0 * 1-3 *', [1, 2, 3]],
    ['0 0 * */4 *', [1, 5, 9]],
  ])('%s names these months', (text, months) => {
    expect([...parseCron(text).months]).toEqual(months);
  });

  it.each([
    ['0 0 * * mon-fri', [1, 2, 3, 4, 5]],
    ['0 0 * * 7', [0]],
    ['0 0 * * fri-sun', [5, 6, 0]],
    ['0 0 * * 5-7', [5, 6, 0]],
    ['0 0 * * sun-sun', [0]],
    ['0 0 * * Sun', [0]],
    ['0 0 * * */2', [0, 2, 4, 6]],
  ])('%s names these days of the week', (text, days) => {
    expect([...parseCron(text).daysOfWeek]).toEqual(days);
  });

  it.each([
    ['either list is enough when both are restricted', '0 0 13 * fri', 13, 1, true],
    ['either list is enough when both are restricted', '0 0 13 * fri', 14, 5, true],
    ['neither list has it', '0 0 13 * fri', 14, 6, false],
    ['a star leaves the other list to decide', '0 0 13 * *', 14, 5, false],
    ['a star leaves the other list to decide', '0 0 * * fri', 13, 1, false],
    ['a stepped star counts as a star, as in Vixie cron', '0 0 */2 * fri', 14, 5, false],
    ['a stepped star counts as a star, as in Vixie cron', '0 0 */2 * fri', 13, 5, true],
  ])('%s: %s', (_, text, day, weekday, matches) => {
    expect(matchesDay(parseCron(text), day, weekday)).toBe(matches);
  });

  it.each([
    ['* * * * * *', 'expression', /5 fields.*not 6.*seconds/],
    ['', 'expression', /5 fields.*not 0/],
    ['0 3 * *', 'expression', /5 fields.*not 4/],
    ['@daily', 'expression', /write @daily as "0 0 \* \* \*"/],
    ['60 * * * *', 'minute', /minute field has "60": allowed are 0 to 59/],
    ['-5 * * * *', 'minute', /allowed are 0 to 59/],
    ['0 24 * * *', 'hour', /hour field has "24": allowed are 0 to 23/],
    ['0 0 0 * *', 'day of month', /allowed are 1 to 31/],
    ['0 0 32 * *', 'day of month', /allowed are 1 to 31/],
    ['0 0 * 13 *', 'month', /allowed are 1 to 12 or jan to dec/],
    ['0 0 * * 8', 'day of week', /allowed are 0 to 7 or sun to sat/],
    ['0 0 * * friday', 'day of week', /sun to sat/],
    ['0 5-3 * * *', 'hour', /backwards/],
    ['0 1-2-3 * * *', 'hour', /one hyphen/],
    ['0/15 * * * *', 'minute', /write "0-59\/15"/],
    ['*/0 * * * *', 'minute', /step is a number from 1 to 59/],
    ['*/x * * * *', 'minute', /step is a number/],
    ['*/5/5 * * * *', 'minute', /too many slashes/],
    ['1,,2 * * * *', 'minute', /an item is missing/],
    ['1, * * * *', 'minute', /an item is missing/],
    ['0x10 * * * *', 'minute', /allowed are/],
    ['1e1 * * * *', 'minute', /allowed are/],
    ['? * * * *', 'minute', /allowed are/],
    ['0 0 L * *', 'day of month', /allowed are 1 to 31/],
    ['0 0 31 2 *', 'day of month', /never fires: no month that it names \(feb\) has a day 31/],
    ['0 0 30,31 feb *', 'day of month', /never fires: .*one of the days 30, 31/],
    ['0 0 31 4,6,9,11 *', 'day of month', /never fires/],
    ['0 0 31 2 */2', 'day of month', /never fires/],
  ])('%j is refused at the %s', (text, field, reason) => {
    const refusal = refusalOf(text);
    expect(refusal.message).toMatch(reason);
    expect(refusal.field).toBe(field);
  });

  it.each(['0 0 29 2 *', '0 0 31 2 mon', '0 0 31 1-2 *'])('%s fires sometimes', (text) => {
    expect(parseCron(text).timesOfDay).toEqual([0]);
  });

  it('takes or refuses any text, and breaks on none', () => {
    const word = fc.stringMatching(/^[0-9*,\-/a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 4, maxLength: 6 }), (words) => {
        try {
          expect(parseCron(words.join(' ')).timesOfDay.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CronSyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function refusalOf(text: string): CronSyntaxError {
  try {
    parseCron(text);
  } catch (error) {
    if (error instanceof CronSyntaxError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}
