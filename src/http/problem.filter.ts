import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';

import { DomainError } from '../errors/domain-error.js';
import { allowedMethods } from './allowed-methods.js';
import {
  InternalError,
  InvalidRequestError,
  MethodNotAllowedError,
  RouteNotFoundError,
} from './http.errors.js';
import { findProblemPage, problemType } from './problem-pages.js';
import { PROBLEM_JSON } from './problem-responses.js';
import { statusOf } from './problem-status.js';
import { type ProblemView } from './problem.view.js';
import { requestIdOf } from './request-id.js';

/**
 * The only place where an error becomes an HTTP answer (RFC 9457). Expected errors are shown as they are; of all others
 * the client learns the request's id, and the log the cause.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger(ProblemFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = toDomainError(exception, request);
    this.#log(error, exception);
    if (response.headersSent) {
      // Half an answer is out. Only a broken connection tells the client that it is not the whole.
      response.destroy();
      return;
    }
    const status = statusOf(error);
    if (error instanceof MethodNotAllowedError) response.setHeader('Allow', error.allowed.join(', '));
    response
      .status(status)
      .type(PROBLEM_JSON)
      .send(JSON.stringify(toProblemView(error, status, request)));
  }

  #log(error: DomainError, exception: unknown): void {
    if (error.kind === 'internal') {
      this.#logger.error(
        { err: error.cause ?? exception, code: error.code },
        'a request failed unexpectedly',
      );
    } else if (error.kind === 'unavailable' || error.kind === 'timeout') {
      // Expected, and often many at once: what happened is told without the place in our code where it was noticed.
      const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
      this.#logger.warn(
        { code: error.code, detail: error.message, ...cause },
        'a request could not be answered',
      );
    }
  }
}

/** The error in the domain's words; what Nest throws by itself is translated by its status. */
export function toDomainError(exception: unknown, request: Request): DomainError {
  if (exception instanceof DomainError) return exception;
  if (!(exception instanceof HttpException)) return new InternalError(exception);
  const status = exception.getStatus();
  if (status === 404) {
    const { method, path } = request;
    const allowed = allowedMethods(request);
    if (allowed.length > 0) return new MethodNotAllowedError(method, path, allowed);
    return new RouteNotFoundError(method, path);
  }
  if (status >= 400 && status < 500)
    return new InvalidRequestError([{ pointer: '', detail: exception.message }]);
  return new InternalError(exception);
}

export function toProblemView(error: DomainError, status: number, request: Request): ProblemView {
  const hidden = error.kind === 'internal';
  return {
    type: problemType(error.code),
    title: findProblemPage(error.code)?.title ?? error.code,
    status,
    detail: hidden ? new InternalError(undefined).message : error.message,
    instance: request.originalUrl.split('?', 1)[0] ?? request.path,
    code: error.code,
    request_id: requestIdOf(request),
    retryable: error.retryable,
    ...(hidden || Object.keys(error.facts).length === 0 ? {} : { facts: { ...error.facts } }),
    ...(error instanceof InvalidRequestError ? { errors: [...error.errors] } : {}),
  };
}
