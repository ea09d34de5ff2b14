import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsDate } from 'class-validator';

/** ISO 8601: a day, or a time with its zone. What JavaScript would take besides means another moment on another machine. */
const TIME = /^(\d{4}-\d\d-(\d\d))(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** A moment in a query, as a `Date`. */
export function TimeParameter(): PropertyDecorator {
  const message = 'must be a time such as 2026-11-01T03:00:00Z, or a day such as 2026-11-01 (in UTC)';
  return applyDecorators(
    Transform(({ value }) => (value === undefined ? undefined : readTime(value))),
    IsDate({ message }),
  );
}

/** An invalid `Date` for what is no such text, and for a day that is in no calendar. */
export function readTime(text: unknown): Date {
  const [, date, day] = (typeof text === 'string' ? TIME.exec(text) : null) ?? [];
  if (typeof text !== 'string' || date === undefined) return new Date(Number.NaN);
  const isDay = new Date(`${date}T00:00:00Z`).getUTCDate() === Number(day);
  return isDay ? new Date(text) : new Date(Number.NaN);
}
