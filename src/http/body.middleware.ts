import { Injectable, type NestMiddleware } from '@nestjs/common';
import express, { type NextFunction, type Request, type Response } from 'express';

import {
  BodyTooLargeError,
  InvalidJsonError,
  InvalidRequestError,
  UnsupportedMediaTypeError,
} from './http.errors.js';
import { pointersToNul } from './nul-search.js';

/** The largest sensible body, a database with a hundred excluded tables, has a few kilobytes. */
const LIMIT_BYTES = 256 * 1024;

const parse = express.json({ limit: LIMIT_BYTES, type: 'application/json' });

/** Reads JSON bodies, and refuses every other kind of body instead of treating it as none; no text in them may hold a NUL. */
@Injectable()
export class BodyMiddleware implements NestMiddleware {
  use(request: Request, response: Response, next: NextFunction): void {
    const type = request.headers['content-type'];
    // `is` gives null when there is no body at all, and false for a body of another type.
    if (request.is('application/json') === false && request.headers['content-length'] !== '0') {
      next(new UnsupportedMediaTypeError(type));
      return;
    }
    parse(request, response, (error?: unknown) => {
      if (error !== undefined) next(translate(error, type));
      else if (Array.isArray(request.body)) next(new InvalidJsonError('it is a list; send one object'));
      else next(refuseNul(request.body));
    });
  }
}

function refuseNul(body: unknown): InvalidRequestError | undefined {
  const pointers = pointersToNul(body);
  const detail = 'holds a NUL character';
  return pointers.length === 0
    ? undefined
    : new InvalidRequestError(pointers.map((pointer) => ({ pointer, detail })));
}

/** By the `type` that body-parser gives its errors; what has none is not about the body. */
function translate(error: unknown, contentType: string | undefined): unknown {
  if (!(error instanceof Error) || !('type' in error)) return error;
  switch (error.type) {
    case 'entity.too.large':
      return new BodyTooLargeError(LIMIT_BYTES);
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new UnsupportedMediaTypeError(contentType);
    default:
      return new InvalidJsonError(error.message);
  }
}
