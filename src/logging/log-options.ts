import type { IncomingMessage, ServerResponse } from 'node:http';

import { type LogFn, type Logger, stdSerializers, stdTimeFunctions } from 'pino';
import type { Options } from 'pino-http';

import type { LogLevel } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
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
    // Else the library hands on what it has serialised already, and a stack of it.
    wrapSerializers: false,
    serializers: {
      err: toErrorFields,
      req: ({ method, url }: { method: string; url: string }) => ({ method, url }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
  };
}

/**
 * An expected error says in a sentence what happened; the place in our code where it was noticed is of no use to the operator. Of
 * every other error the stack is wanted.
 */
function toErrorFields(error: unknown): unknown {
  if (!(error instanceof DomainError) || error.kind === 'internal') {
    return error instanceof Error ? stdSerializers.err(error) : error;
  }
  const { code, message, retryable, cause } = error;
  return { code, message, retryable, ...(cause instanceof Error && { cause: cause.message }) };
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
