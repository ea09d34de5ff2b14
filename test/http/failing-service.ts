import { once } from 'node:events';
import { connect } from 'node:net';

import { Controller, Get, Global, Module, Param, ParseIntPipe, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';

import { Clock } from '../../src/clock/clock.ts';
import { DomainError, PROBLEM_KINDS, type ProblemKind } from '../../src/errors/domain-error.ts';
import { Config } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { DrainingAdapter } from '../../src/http/draining-adapter.ts';
import { HttpModule } from '../../src/http/http.module.ts';
import { LoggingModule } from '../../src/logging/logging.module.ts';

/** What the slow operation waits for; tests let it go. */
export class Gate {
  readonly #passed = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();

  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(): void {
    this.#passed.resolve();
  }

  async pass(): Promise<void> {
    this.#reached.resolve();
    await this.#passed.promise;
  }
}

let gate = new Gate();

/** Fails in every way that an operation can fail. */
@Controller('fail')
class FailingController {
  @Get('kind/:kind')
  kind(@Param('kind') word: string): never {
    const kind = PROBLEM_KINDS.find((each): each is ProblemKind => each === word) ?? 'internal';
    throw new DomainError({
      code: 'shop-closed',
      kind,
      detail: 'the shop is closed until 8',
      facts: { opens: 8 },
      cause: new Error('cause-not-for-clients'),
    });
  }

  @Get('bug')
  bug(): never {
    throw new TypeError('text-not-for-clients');
  }

  @Get('number/:number')
  number(@Param('number', ParseIntPipe) number: number): number {
    return number;
  }

  @Get('half')
  half(@Res() response: Response): never {
    response.status(200).setHeader('Content-Length', 1000);
    response.write('half of it');
    throw new Error('the source broke');
  }

  @Get('slow')
  async slow(): Promise<string> {
    await gate.pass();
    return 'done';
  }
}

/** Settings of the test's own: no line of log between the test's results. */
@Global()
@Module({
  providers: [{ provide: Config, useFactory: () => readConfig({ LOG_LEVEL: 'silent' }) }],
  exports: [Config],
})
class QuietModule {}

@Module({ imports: [QuietModule, LoggingModule, HttpModule], controllers: [FailingController] })
class FailingModule {}

/** A clock whose waits end when the test says so. */
export class HandClock extends Clock {
  readonly #waits = new Set<() => void>();
  readonly #slept = Promise.withResolvers<void>();

  /** Resolves when somebody sleeps. */
  get slept(): Promise<void> {
    return this.#slept.promise;
  }

  override now(): Date {
    return new Date(0);
  }

  override monotonicMs(): number {
    return 0;
  }

  override async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waits.add(resolve);
      signal?.addEventListener('abort', () => reject(new Error('the wait was ended')));
      this.#slept.resolve();
    });
  }

  endAllWaits(): void {
    for (const end of this.#waits) end();
  }
}

/** The HTTP room with an operation for each way to fail, listening. */
export async function startFailing(
  clock: Clock,
): Promise<{ app: NestExpressApplication; url: string; gate: Gate }> {
  gate = new Gate();
  const app = await NestFactory.create<NestExpressApplication>(FailingModule, new DrainingAdapter(clock), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), gate };
}

/** Whether a new connection is taken. */
export async function takesConnections(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
