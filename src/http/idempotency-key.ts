import { ApiHeader } from '@nestjs/swagger';

import { InvalidRequestError } from './http.errors.js';

/** As long as the column that holds it. */
const LONGEST_KEY = 255;

/** Describes the header to readers of the API. */
export const ApiIdempotencyKey = (): MethodDecorator & ClassDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeated key gives the first record, within 24 hours.',
  });

/**
 * The key as it was sent. An empty one would make one request of all that send one.
 * @throws InvalidRequestError
 */
export function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || (key !== '' && key.length <= LONGEST_KEY)) return key;
  const detail = `must have 1 to ${LONGEST_KEY} characters`;
  throw new InvalidRequestError([{ pointer: '/Idempotency-Key', detail }]);
}
