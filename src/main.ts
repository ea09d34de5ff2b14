import 'reflect-metadata';

import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';

import { AppModule } from './app.module.js';
import { Config } from './config/config.js';
import { DomainError } from './errors/domain-error.js';

try {
  // What we write (catalog, archives, temporary files of tools) is for our user alone.
  process.umask(0o077);
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    abortOnError: false,
    bodyParser: false,
    // Until our own log is there: Nest would tell of each module that it builds, and of start errors a second time.
    logger: false,
    forceCloseConnections: true,
  });
  app.useLogger(app.get(Logger));
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  const config = app.get(Config);
  await app.listen(config.port, config.host);
  new NestLogger('Backstop').log({ url: await app.getUrl() }, 'Backstop is listening');
} catch (error) {
  const text =
    error instanceof DomainError
      ? `${error.code}: ${error.message}`
      : String((error as Error).stack ?? error);
  process.stderr.write(`Backstop cannot start. ${text}\n`);
  process.exitCode = 1;
}
