import type { Response } from 'express';

import { ClientGoneError } from './http.errors.js';

/** Aborts when the client goes away before its answer is out: nobody waits any more for what is being done. */
export function clientSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new ClientGoneError());
  };
  // It may have gone while we looked things up.
  if (response.closed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}
