import { type NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';

import { type Config } from '../config/config.js';
import { allowedHosts, refuseOtherHosts } from './allowed-hosts.js';
import { InvalidRequestError } from './http.errors.js';
import { assignRequestId } from './request-id.js';

/** Headers that lists and work answer with, for pages of other origins. */
const EXPOSED_HEADERS = ['Link', 'Location', 'X-Request-Id', 'X-Total-Count', 'Content-Disposition', 'ETag'];

/** An address can have a NUL in this form only. PostgreSQL takes none in any text, as a catalog or as the database that is meant. */
const NUL = '%00';

/** What must be set on the application before it listens: the request's id, headers for browsers, under which names it may be asked, and who may call from a page. */
export function configureHttp(app: NestExpressApplication, config: Config): void {
  app.use((request: Request, response: Response, next: NextFunction) => {
    request.id = assignRequestId(request, response);
    if (!request.url.includes(NUL)) next();
    else
      next(new InvalidRequestError([{ pointer: '', detail: 'a NUL character (%00) stands in the address' }]));
  });
  const isAllowed = allowedHosts(config);
  if (isAllowed !== undefined) app.use(refuseOtherHosts(isAllowed));
  app.use(
    helmet({
      // TLS, where there is any, ends at a proxy that knows its own policy; over plain HTTP this would break the pages.
      strictTransportSecurity: false,
      contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
    }),
  );
  if (config.corsOrigins.length > 0) {
    const anyone = config.corsOrigins.includes('*');
    app.enableCors({ origin: anyone ? '*' : [...config.corsOrigins], exposedHeaders: EXPOSED_HEADERS });
  }
}
