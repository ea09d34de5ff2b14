import 'reflect-metadata';

import { Logger as NestLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';

import { AppModule } from './app.module.js';
import { SystemClock } from './clock/system-clock.js';
import { Config } from './config/config.js';
import { DomainError } from './errors/domain-error.js';
import { configureHttp } from './http/configure-http.js';
import { DrainingAdapter } from './http/draining-adapter.js';
import { serveOpenApi } from './http/openapi-document.js';
import { WorkFolder } from './process/work-folder.js';
import { Queue } from './queue/queue.js';
import { closeOnSignals } from './shutdown.js';

async function start(): Promise<void> {
  // What we write (catalog, archives, temporary files of tools) is for our user alone.
  process.umask(0o077);
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule,
    new DrainingAdapter(new SystemClock()),
    {
      abortOnError: false,
      bodyParser: false,
      // Until our own log is there: Nest would tell of each module that it builds, and of start errors a second time.
      logger: false,
      routeConflictPolicy: { duplicate: 'error' },
      // `/backups/status` goes before `/backups/:id`, wherever each is declared.
      routeResolutionStrategy: 'specificity',
    },
  );
  app.useLogger(app.get(Logger));
  const config = app.get(Config);
  await app.get(WorkFolder).take();
  configureHttp(app, config);
  serveOpenApi(app);
  const stopping = closeOnSignals(app);
  try {
    await app.listen(config.port, config.host);
    if (stopping.aborted) return;
    await app.get(Queue).start();
    new NestLogger('Backstop').log({ url: await app.getUrl(), pid: process.pid }, 'Backstop is listening');
  } catch (error) {
    // Told to stop in the middle of its start, it closes what the start still uses; the stop ends the process.
    if (!stopping.aborted) throw error;
    new NestLogger('Backstop').warn({ err: error }, 'the start was ended by the stop');
  }
}

/** The commonest reason why a service does not start deserves a sentence instead of a stack. */
function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** An expected error is a sentence for the operator; of any other the stack is wanted. */
function describe(error: unknown): string {
  if (error instanceof DomainError) return `${error.code}: ${error.message}`;
  if (isPortTaken(error)) return 'Another program listens on PORT already; end it, or choose another PORT.';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await start();
} catch (error) {
  process.stderr.write(`Backstop cannot start. ${describe(error)}\n`);
  // Not merely `exitCode`: what has been opened so far (a connection pool) could keep the process alive.
  process.exit(1);
}
