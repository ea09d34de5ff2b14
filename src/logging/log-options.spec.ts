import { Writable } from 'node:stream';

import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { type LogLevel } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { logOptions } from './log-options.js';

/** A log whose lines are collected, as parsed JSON. */
function collect(level: LogLevel = 'info'): { log: pino.Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line: Record<string, unknown> = JSON.parse(chunk.toString());
      lines.push(line);
      done();
    },
  });
  const { level: threshold, hooks, formatters, timestamp, redact, serializers = {} } = logOptions(level);
  const { err } = serializers;
  const options = {
    level: threshold,
    hooks,
    formatters,
    timestamp,
    redact,
    ...(err && { serializers: { err } }),
  };
  return { log: pino(options, sink), lines };
}

describe('the log', () => {
  it('has the level as a word and the time in ISO 8601', () => {
    const { log, lines } = collect();
    log.warn({ backupId: 'b1' }, 'the backup is late');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        backupId: 'b1',
        msg: 'the backup is late',
      }),
    ]);
  });

  it('shows no secret, however deep an object has it', () => {
    const { log, lines } = collect();
    const secret = 'not-a-secret';
    const error = Object.assign(new Error('query failed'), { query: 'INSERT …', parameters: [secret] });
    log.info({
      password: secret,
      connection: { uri: secret },
      request: { headers: { authorization: secret } },
    });
    log.error({ err: error }, 'failed');
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(JSON.stringify(lines)).toContain('[redacted]');
  });

  it('tells of an expected error without the place in the code, and of any other with it', () => {
    const { log, lines } = collect();
    const cause = new Error('connect ECONNREFUSED');
    const kinds = ['unavailable', 'internal'] as const;
    for (const kind of kinds) {
      log.warn({ err: new DomainError({ code: 'shop-closed', kind, detail: 'closed', cause }) }, 'no luck');
    }
    log.warn({ err: cause }, 'no luck');
    expect(lines[0]?.['err']).toEqual({
      code: 'shop-closed',
      message: 'closed',
      retryable: false,
      cause: 'connect ECONNREFUSED',
    });
    for (const line of lines.slice(1)) expect(line['err']).toHaveProperty('stack');
  });

  it('leaves out what Nest tells of its routes, but not its warnings', () => {
    const { log, lines } = collect();
    log.info({ context: 'RouterExplorer' }, 'Mapped {/, GET} route');
    log.warn({ context: 'RouterExplorer' }, 'a route is shadowed');
    log.info({ context: 'BackupRunner' }, 'backup completed');
    expect(lines.map((line) => line['msg'])).toEqual(['a route is shadowed', 'backup completed']);
  });

  it('keeps to its level', () => {
    const { log, lines } = collect('error');
    log.warn('no');
    log.error('yes');
    expect(lines.map((line) => line['msg'])).toEqual(['yes']);
  });
});
