import { ValidateIf } from 'class-validator';

/** The field may be left out, and that is all: `null` is checked like any other value (`IsOptional` would take it). */
export function Omittable(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}
