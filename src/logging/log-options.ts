import type { IncomingMessage, ServerResponse } from 'node:http';

import { type LogFn, type Logger, stdTimeFunctions } from 'pino';
import type { Options } from 'pino-http';

import type { LogLevel } from '../config/config.js';
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

/** Nest tells every route that it maps; in a log that people read this is noise. */
const CHATTER = new Set<unknown>(['RoutesResolver', 'RouterExplorer', 'InstanceLoader', 'NestApplication']);
const INFO = 30;

/** Fields of the line that ends a request. */
type LineFields = Record<string, unknown>;

/** How the log is written: JSON lines with ISO times, a request id on every line of a request, and no secrets. */
export function logOptions(level: LogLevel): Options {
  return {
    level,
    hooks: { logMethod: dropChatter },
    formatters: { level: (name) => ({ level: name }) },
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
    genReqId: assignRequestId,
    customLogLevel: levelOf,
    // Asked every few seconds by orchestrators; their successes would bury the rest. The problem filter logs their failures.
    autoLogging: { ignore: (request) => request.url?.startsWith('/health') ?? false },
    quietReqLogger: true,
    // The library invents an error for every status from 500 on; the real one is in the line of the problem filter.
    customErrorMessage: () => 'request failed',
    customErrorObject: (_request, _response, _error, { err: _invented, ...fields }: LineFields) => fields,
    customAttributeKeys: { reqId: 'request_id', responseTime: 'duration_ms' },
    serializers: {
      req: ({ method, url }: { method: string; url: string }) => ({ method, url }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
  };
}

function dropChatter(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const [fields]: unknown[] = args;
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
