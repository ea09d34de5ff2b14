import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { type FieldProblem, InvalidRequestError } from './http.errors.js';
import { escapePointer } from './json-pointer.js';

/**
 * Checks every DTO at the edge: unknown fields are refused by name, and every wrong field is reported at once. Values of
 * query and path parameters become the types that the DTO declares by its own transformers; JSON bodies are never coerced.
 */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    validationError: { target: false },
    exceptionFactory: (errors) => new InvalidRequestError(toFieldProblems(errors)),
  });
}

/** All complaints of a validation, flat, each with its JSON pointer. */
export function toFieldProblems(errors: readonly ValidationError[], parent = ''): FieldProblem[] {
  return errors.flatMap((error) => {
    const pointer = `${parent}/${escapePointer(error.property)}`;
    const own = complaintsOf(error).map((detail) => ({ pointer, detail }));
    return [...own, ...toFieldProblems(error.children ?? [], pointer)];
  });
}

/** Of what is no number at all, nobody wants to read that it is also too small and too large. */
const NO_NUMBER = ['isInt', 'isNumber'];
const BOUNDS = ['min', 'max'];

/** In words that go on after the field's name. */
function complaintsOf({ property, value, constraints = {} }: ValidationError): string[] {
  if ('whitelistValidation' in constraints) return ['is not a known field'];
  if (value === undefined && Object.keys(constraints).length > 0) return ['is missing'];
  const isNumber = !NO_NUMBER.some((constraint) => constraint in constraints);
  return Object.entries(constraints)
    .filter(([constraint]) => isNumber || !BOUNDS.includes(constraint))
    .map(([, message]) =>
      message
        .replace(`each value in ${property} `, 'each value ')
        .replace(`${property} `, '')
        .replace(' conforming to the specified constraints', ''),
    );
}
