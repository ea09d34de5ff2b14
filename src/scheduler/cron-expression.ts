/** Why an expression is no cron expression that we take: which field, and what is wrong with it. */
export class CronSyntaxError extends Error {
  constructor(
    readonly field: CronField | 'expression',
    complaint: string,
  ) {
    super(complaint);
    this.name = 'CronSyntaxError';
  }
}

export type CronField = 'minute' | 'hour' | 'day of month' | 'month' | 'day of week';

/** A parsed expression. Days of the week count from Sunday, 0; months from January, 1. */
export interface CronExpression {
  /** Minutes since midnight at which it fires on a day that matches, ascending. */
  readonly timesOfDay: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
  /**
   * Whether a day must match both lists, or one of them is enough. As crontab(5) has it: when both fields are restricted (do not
   * begin with `*`), either is enough.
   */
  readonly daysMustMatchBoth: boolean;
}

interface FieldRule {
  name: CronField;
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: FieldRule = { name: 'minute', min: 0, max: 59 };
const HOUR: FieldRule = { name: 'hour', min: 0, max: 23 };
const DAY_OF_MONTH: FieldRule = { name: 'day of month', min: 1, max: 31 };
const MONTH: FieldRule = { name: 'month', min: 1, max: 12, names: MONTHS };
/** 7 is Sunday too. */
const DAY_OF_WEEK: FieldRule = { name: 'day of week', min: 0, max: 7, names: DAYS };
const FIELDS = 5;

const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a cron expression of five fields with the rules of crontab(5): lists, ranges, steps, names of months and days, 7 for Sunday.
 * @throws CronSyntaxError with a reason, also for an expression that can never fire
 */
export function parseCron(text: string): CronExpression {
  const words = text.trim().split(/\s+/);
  if (words.length !== FIELDS) throw new CronSyntaxError('expression', miscount(text, words.length));
  const [minuteWord = '', hourWord = '', dayWord = '', monthWord = '', weekdayWord = ''] = words;
  const minutes = readField(MINUTE, minuteWord);
  const hours = readField(HOUR, hourWord);
  const daysOfMonth = readField(DAY_OF_MONTH, dayWord);
  const months = readField(MONTH, monthWord);
  const daysOfWeek = readField(DAY_OF_WEEK, weekdayWord);
  const daysMustMatchBoth = dayWord.startsWith('*') || weekdayWord.startsWith('*');
  if (daysMustMatchBoth && !dayExists(daysOfMonth, months)) {
    throw new CronSyntaxError('day of month', `"${text}" never fires: ${missingDay(daysOfMonth, months)}`);
  }
  return {
    timesOfDay: hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)),
    daysOfMonth: new Set(daysOfMonth),
    months: new Set(months),
    daysOfWeek: new Set(daysOfWeek.map((day) => day % 7)),
    daysMustMatchBoth,
  };
}

/** Whether it fires on this day. `weekday` counts from Sunday, 0. */
export function matchesDay(cron: CronExpression, dayOfMonth: number, weekday: number): boolean {
  const byMonth = cron.daysOfMonth.has(dayOfMonth);
  const byWeek = cron.daysOfWeek.has(weekday);
  return cron.daysMustMatchBoth ? byMonth && byWeek : byMonth || byWeek;
}

function miscount(text: string, count: number): string {
  const macro = MACROS[text.trim().toLowerCase()];
  if (macro !== undefined) return `write ${text.trim()} as "${macro}"`;
  const seconds = count === 6 ? '; a field for seconds is not taken' : '';
  return (
    `must have ${FIELDS} fields (minute, hour, day of month, month, day of week), not ` +
    `${text.trim() === '' ? 0 : count}${seconds}`
  );
}

/** Every number that the field's text stands for, ascending. */
function readField(rule: FieldRule, text: string): number[] {
  const numbers = new Set<number>();
  for (const item of text.split(',')) for (const number of readItem(rule, item)) numbers.add(number);
  return [...numbers].toSorted((a, b) => a - b);
}

/** One item of a list: star, number, or range, each of the first and last perhaps with a step. */
function readItem(rule: FieldRule, item: string): number[] {
  const [base = '', step, ...more] = item.split('/');
  const refuse = (complaint: string): never => {
    throw new CronSyntaxError(rule.name, `the ${rule.name} field has "${item}": ${complaint}`);
  };
  if (item === '' || more.length > 0) return refuse('an item is missing or has too many slashes');
  const [first = '', last, ...rest] = base.split('-');
  if (rest.length > 0) return refuse('a range has one hyphen');
  const isStar = base === '*';
  const from = isStar ? rule.min : readNumber(rule, first, refuse);
  let to = from;
  if (isStar) to = rule === DAY_OF_WEEK ? 6 : rule.max;
  else if (last !== undefined) to = readNumber(rule, last, refuse);
  // `fri-sun`: a week may end with Sunday.
  if (rule === DAY_OF_WEEK && to === 0 && from > 0) to = 7;
  if (to < from) return refuse('the range runs backwards');
  if (step === undefined) return numbersFrom(from, to, 1);
  if (!isStar && last === undefined) {
    return refuse(`a step needs a range; write "${from}-${rule.max}/${step}" if that is meant`);
  }
  const width = /^\d+$/.test(step) ? Number(step) : 0;
  if (width < 1 || width > rule.max) return refuse(`a step is a number from 1 to ${rule.max}`);
  return numbersFrom(from, to, width);
}

function readNumber(rule: FieldRule, word: string, refuse: (complaint: string) => never): number {
  const named = rule.names?.indexOf(word.toLowerCase()) ?? -1;
  if (named !== -1) return named + (rule === MONTH ? 1 : 0);
  const number = /^\d{1,3}$/.test(word) ? Number(word) : Number.NaN;
  if (number >= rule.min && number <= rule.max) return number;
  const names = rule.names === undefined ? '' : ` or ${rule.names[0]} to ${rule.names.at(-1)}`;
  return refuse(`allowed are ${rule.min} to ${rule.max}${names}`);
}

function numbersFrom(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function dayExists(daysOfMonth: readonly number[], months: readonly number[]): boolean {
  return months.some((month) => (daysOfMonth[0] ?? 32) <= (LONGEST_MONTH[month - 1] ?? 0));
}

function missingDay(daysOfMonth: readonly number[], months: readonly number[]): string {
  const days =
    daysOfMonth.length === 1 ? `a day ${daysOfMonth[0]}` : `one of the days ${daysOfMonth.join(', ')}`;
  const names = months.map((month) => MONTHS[month - 1]).join(', ');
  return `no month that it names (${names}) has ${days}`;
}
