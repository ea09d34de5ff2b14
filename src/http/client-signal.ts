import type { Response } from 'express';

import { ClientGoneError } from './http.errors.js';

/** Aborts when the client goes away before its answer is out: nobody waits any more for what is being done. */
export function clientSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new ClientGoneError());
  });
  return gone.signal;
}
