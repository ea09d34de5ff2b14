import type { Readable } from 'node:stream';

import { runChildSink } from '../../process/child-sink.js';
import type { RestoreOutcome } from '../engine.js';
import { RestoreFailedError } from '../tools.errors.js';
import { fittedScript, openPlain } from './plain-script.js';
import type { PostgresCall } from './postgres-call.js';
import { psqlScript } from './postgres-commands.js';
import type { PostgresTools } from './postgres-tools.js';
import { readTarget } from './restore-target.js';

/** The first release of each major in which psql knows `\restrict`. */
const RESTRICT_SINCE: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

/** Restores a plain dump by psql in a single transaction that is committed only after the dump's last line. */
export async function restorePlain(
  call: PostgresCall,
  bytes: Readable,
  tools: PostgresTools,
): Promise<RestoreOutcome> {
  const script = await openPlain(bytes);
  const session = await call.session();
  const target = await readTarget(session, script.head.serverMajor);
  await session.close();
  const tool = await tools.atLeast('psql', target.major, `a server of version ${target.major}`);
  const fitted = fittedScript(script, {
    dropTransactionTimeout: target.major < 17,
    restrict: knowsRestrict(tool.version),
  });
  const command = psqlScript({ file: tool.path, access: await call.access() }, call.connection.databaseName);
  await runChildSink(
    command,
    fitted,
    call.watch((reason) => new RestoreFailedError(tool.name, reason)),
  );
  return {
    tool: { name: tool.name, version: tool.version },
    notes: ['a plain dump holds no owners and rights; everything belongs to the restoring user'],
  };
}

/** Whether psql of this version knows `\restrict`, which came with the releases of August 2025. */
export function knowsRestrict(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 18 || minor >= (RESTRICT_SINCE[major] ?? Number.POSITIVE_INFINITY);
}
