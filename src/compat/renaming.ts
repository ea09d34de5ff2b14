import type { NextFunction, Request, Response } from 'express';

import { type FieldProblem, InvalidRequestError } from '../http/http.errors.js';

/** Names that fields had in older services, and what they are called here. */
export type OlderNames = Readonly<Record<string, string>>;

/**
 * Middleware that gives the fields of a body their names of today, before anything is checked. A field under both names is refused: the
 * sender can mean only one of them.
 */
export function renaming(
  names: OlderNames,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, _response, next) => {
    const problems = renameFields(request.body, names);
    next(problems.length === 0 ? undefined : new InvalidRequestError(problems));
  };
}

/** Renames in place; gives what is wrong with it. What is no object is left to the check of the request. */
export function renameFields(body: unknown, names: OlderNames): FieldProblem[] {
  if (!isRecord(body)) return [];
  const problems: FieldProblem[] = [];
  for (const [older, name] of Object.entries(names)) {
    if (!Object.hasOwn(body, older)) continue;
    if (Object.hasOwn(body, name)) {
      problems.push({ pointer: `/${older}`, detail: `and ${name} are the same; leave one of them out` });
      continue;
    }
    body[name] = body[older];
    delete body[older];
  }
  return problems;
}

function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null;
}
