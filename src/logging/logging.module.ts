import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';

import { Config } from '../config/config.js';
import { logOptions } from './log-options.js';

/** Platform: the log, on stdout. Rooms use Nest's `Logger`, fields first: `logger.log({ backupId }, 'text')`. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [Config],
      useFactory: (config: Config) => ({ pinoHttp: logOptions(config.logLevel) }),
    }),
  ],
})
export class LoggingModule {}
