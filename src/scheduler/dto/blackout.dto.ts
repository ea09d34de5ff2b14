import { IsArray, IsIn, IsOptional, Matches } from 'class-validator';

import { WEEKDAYS, type Weekday } from '../blackouts.js';

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const TIME_OR_MIDNIGHT = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** A time of day in which no backup begins, in the schedule's time zone. What is due in it begins at its end. */
export class BlackoutDto {
  /**
   * Days on which it begins; every day when left out.
   * @example ["mon", "tue", "wed", "thu", "fri"]
   */
  @IsOptional()
  @IsArray()
  @IsIn(WEEKDAYS, { each: true })
  days?: Weekday[];

  /**
   * When it begins.
   * @example "08:00"
   */
  @Matches(TIME, { message: 'must be a time such as 08:00' })
  from: string;

  /**
   * When it ends; on the day after when that is not after `from`.
   * @example "18:00"
   */
  @Matches(TIME_OR_MIDNIGHT, { message: 'must be a time such as 18:00, up to 24:00' })
  to: string;
}
