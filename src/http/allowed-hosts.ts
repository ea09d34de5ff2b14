import type { NextFunction, Request, Response } from 'express';

import type { Config } from '../config/config.js';
import { HostNotAllowedError } from './http.errors.js';
import { toProblemView } from './problem.filter.js';
import { PROBLEM_JSON } from './problem-responses.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The rule by which a request's `Host` is accepted; undefined: any is. A service that listens on loopback alone is protected by
 * that only as long as browsers do not carry requests to it: a web page may have its own name lead to 127.0.0.1 (DNS rebinding), and
 * is then of one origin with us. Its requests bear that name.
 */
export function allowedHosts({ host, allowedHosts: named }: Config): ((host: string) => boolean) | undefined {
  const isLocal = LOOPBACK.test(host) || host === '::1';
  if (named.includes('*') || (!isLocal && named.length === 0)) return undefined;
  const names = new Set([...named.map((name) => name.toLowerCase()), host.toLowerCase()]);
  return (given) => {
    const name = given.toLowerCase().replace(/:\d*$/, '');
    return LOOPBACK.test(name) || names.has(name);
  };
}

/** Refuses what comes under another name, before anything looks at it. */
export function refuseOtherHosts(
  isAllowed: (host: string) => boolean,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const { host } = request.headers;
    if (host === undefined || isAllowed(host)) {
      next();
      return;
    }
    const error = new HostNotAllowedError(host);
    response
      .status(error.status)
      .type(PROBLEM_JSON)
      .send(JSON.stringify(toProblemView(error, error.status, request)));
  };
}
