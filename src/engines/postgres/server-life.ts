import type { EngineCall } from '../engine.js';
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
export async function whileServerWorks<T>(call: PostgresCall, work: Promise<T>): Promise<T> {
  const { life } = call;
  if (life === undefined) return work;
  const done = new AbortController();
  const looking = look(call, life, AbortSignal.any([call.signal, done.signal]));
  try {
    return await work;
  } finally {
    done.abort();
    await looking;
  }
}

/** The same for a tool that works on this machine, without its server. */
export async function whileToolWorks<T>(call: PostgresCall, work: Promise<T>): Promise<T> {
  const { life } = call;
  if (life === undefined) return work;
  const done = new AbortController();
  const telling = every(call, life, done.signal, async () => true);
  try {
    return await work;
  } finally {
    done.abort();
    await telling;
  }
}

async function look(
  call: PostgresCall,
  life: NonNullable<EngineCall['life']>,
  over: AbortSignal,
): Promise<void> {
  await every(call, life, over, async () => {
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
  });
}

/** Until `over`: asks every now and then, and tells when the answer is yes. No answer is none. */
async function every(
  call: PostgresCall,
  life: NonNullable<EngineCall['life']>,
  over: AbortSignal,
  isAtWork: () => Promise<boolean>,
): Promise<void> {
  while (!over.aborted) {
    await call.clock.sleep(life.everyMs, over).catch(() => undefined);
    if (!over.aborted && (await isAtWork().catch(() => false))) life.tell();
  }
}
