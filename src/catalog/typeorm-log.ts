import { Logger as NestLogger } from '@nestjs/common';
import type { Logger } from 'typeorm';

/**
 * Keeps TypeORM from printing bare lines on stdout, where our log is JSON. Only its warnings matter: statements hold what users
 * call their databases, and what fails reaches the log as an error of whoever asked.
 */
export class TypeOrmLog implements Logger {
  readonly #logger = new NestLogger('Catalog');

  logQuery(): void {}

  logQueryError(): void {}

  logQuerySlow(): void {}

  logSchemaBuild(): void {}

  logMigration(): void {}

  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    if (level === 'warn') this.#logger.warn(message);
  }
}
