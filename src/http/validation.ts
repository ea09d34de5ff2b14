import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { type FieldProblem, InvalidRequestError } from './http.errors.js';

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
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => new InvalidRequestError(toFieldProblems(errors)),
  });
}

/** All complaints of a validation, flat, each with its JSON pointer. */
export function toFieldProblems(errors: readonly ValidationError[], parent = ''): FieldProblem[] {
  return errors.flatMap((error) => {
    const pointer = `${parent}/${escapePointer(error.property)}`;
    const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
      pointer,
      detail: constraint === 'whitelistValidation' ? 'is not a known field' : message,
    }));
    return [...own, ...toFieldProblems(error.children ?? [], pointer)];
  });
}

/** RFC 6901. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
