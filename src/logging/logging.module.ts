import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type LogFn, type Logger, stdTimeFunctions } from 'pino';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { Config } from '../config/config.js';
import { assignRequestId } from '../http/request-id.js';

/** Secrets that could stand in an object somebody logs. Errors of TypeORM carry the parameters of their statement. */
const SECRET_FIELDS = [
  'password',
  'uri',
  'authorization',
  'cookie',
  'secret',
  'secretKey',
  'connectionString',
  'parameters',
];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** Asked every few seconds by orchestrators; their successes would bury the rest. */
const isHealthCheck = (request: { url?: string | undefined }): boolean =>
  request.url?.startsWith('/health') ?? false;

/** Nest tells every route that it maps; in a log that people read this is noise. */
const CHATTER = new Set<unknown>(['RoutesResolver', 'RouterExplorer', 'InstanceLoader', 'NestApplication']);
const INFO = 30;

function dropChatter(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const [fields] = args as unknown[];
  const isChatter =
    typeof fields === 'object' && fields !== null && 'context' in fields && CHATTER.has(fields.context);
  if (!isChatter || level > INFO) method.apply(this, args);
}

function levelOf(
  _request: IncomingMessage,
  response: ServerResponse,
  error?: Error,
): 'error' | 'warn' | 'info' {
  if (error !== undefined || response.statusCode >= 500) return 'error';
  return response.statusCode >= 400 ? 'warn' : 'info';
}

/** Platform: the log, JSON lines on stdout. Rooms use Nest's `Logger`, fields first: `logger.log({ backupId }, 'text')`. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [Config],
      useFactory: (config: Config) => ({
        pinoHttp: {
          level: config.logLevel,
          hooks: { logMethod: dropChatter },
          formatters: { level: (level: string) => ({ level }) },
          timestamp: stdTimeFunctions.isoTime,
          redact: { paths: REDACTED, censor: '[redacted]' },
          genReqId: assignRequestId,
          customLogLevel: levelOf,
          autoLogging: { ignore: isHealthCheck },
          quietReqLogger: true,
          customAttributeKeys: { reqId: 'request_id', responseTime: 'duration_ms' },
          serializers: {
            req: ({ method, url }: { method: string; url: string }) => ({ method, url }),
            res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
          },
        },
      }),
    }),
  ],
})
export class LoggingModule {}
