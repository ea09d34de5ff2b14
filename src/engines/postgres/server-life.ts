import { showingLife } from '../signs-of-life.js';
import type { PostgresCall } from './postgres-call.js';
import { PostgresSession } from './postgres-session.js';

const IS_AT_WORK = `
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity
     WHERE application_name = $1 AND state = 'active' AND coalesce(wait_event_type, '') NOT IN ('Lock', 'Client')) AS busy`;

/**
 * Waits for `work`, and meanwhile asks the server, in sessions of their own, whether it is still at work for this call; if so,
 * the caller is told. A server that hangs, or that is cut off, answers no new session either. A backend that waits for a lock,
 * or for us, is not at work.
 */
export function whileServerWorks<T>(call: PostgresCall, work: Promise<T>): Promise<T> {
  return showingLife(call, work, (over) => isAtWork(call, over));
}

/** The same for a tool that works on this machine, without its server. */
export function whileToolWorks<T>(call: PostgresCall, work: Promise<T>): Promise<T> {
  return showingLife(call, work, () => Promise.resolve(true));
}

async function isAtWork(call: PostgresCall, over: AbortSignal): Promise<boolean> {
  const session = await PostgresSession.open(call.connection, {
    applicationName: `${call.applicationName} look`,
    signal: over,
    clock: call.clock,
  });
  try {
    const { busy } = await session.one<{ busy: boolean }>(IS_AT_WORK, [call.applicationName]);
    return busy;
  } finally {
    await session.close();
  }
}
