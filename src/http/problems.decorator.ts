import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse } from '@nestjs/swagger';

import { problemResponses } from './problem-responses.js';
import { ProblemView } from './problem.view.js';

/**
 * Documents the problems with which an operation may answer: `@Problems('database-not-found', 'backup-already-running')`.
 * Status and title come from the pages. Those that every operation has (`invalid-request`, `internal-error`, …) are added
 * to the document by themselves.
 */
export function Problems(...codes: string[]): MethodDecorator {
  const responses = Object.entries(problemResponses(codes)).map(([status, response]) =>
    ApiResponse({ status: Number(status), ...response }),
  );
  return applyDecorators(ApiExtraModels(ProblemView), ...responses);
}
