import { documentsIn, type Fields, textIn } from './fields.js';
import type { MongoCall } from './mongo-call.js';
import { MongoSession } from './mongo-session.js';
import { showingLife } from '../signs-of-life.js';

/**
 * Waits for `work`, and meanwhile asks the server, in sessions of their own, whether it is at work for this call; if so, the caller is
 * told. A server that hangs, or that is cut off, answers no new session either. An operation that waits for a lock is not at work.
 */
export function whileServerWorks<T>(call: MongoCall, work: Promise<T>): Promise<T> {
  return showingLife(call, work, (over) => isAtWork(call, over));
}

async function isAtWork(call: MongoCall, over: AbortSignal): Promise<boolean> {
  const { connection, applicationName, clock } = call;
  await using session = await MongoSession.open(connection, `${applicationName} look`, over, clock);
  // What others do is not asked for: that needs a right which a restore does not.
  const pipeline = [{ $currentOp: { allUsers: false, idleConnections: false } }];
  const operations = documentsIn(
    await session.reading(() => session.db('admin').aggregate(pipeline).toArray()),
  );
  return operations.some((one) => isWorkOf(one, applicationName, connection.databaseName));
}

/**
 * Whether an operation, as `$currentOp` tells it, is work for a call. FerretDB does not tell the application: there, whatever works in
 * the call's database counts, which nobody else knows yet while it is restored. Pure.
 */
export function isWorkOf(operation: Fields, applicationName: string, databaseName: string): boolean {
  if (operation['active'] !== true || operation['waitingForLock'] === true) return false;
  const application = textIn(operation['appName']);
  if (application !== undefined) return application === applicationName;
  return textIn(operation['ns'])?.startsWith(`${databaseName}.`) ?? false;
}
