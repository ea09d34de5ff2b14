import type { Connection } from '../engine.js';
import { isDirect } from './mongo-client-options.js';
import type { MongoCall } from './mongo-call.js';
import type { MongoSession } from './mongo-session.js';

/** What leads to other members than the one that was chosen. */
const LEADS_ELSEWHERE = new Set(['replicaSet', 'seeds', 'srv']);

/**
 * A session in which commands of one cursor reach one member of a replica set, as `RawCursor` needs it: commands go to the primary
 * unless told otherwise, and a read preference may mean another member each time. So the preference is asked once, and the member
 * that answered is then spoken to directly. Closed with the call.
 */
export async function openReadingSession(call: MongoCall, session: MongoSession): Promise<MongoSession> {
  const { connection, client } = session;
  if (isDirect(connection) || client.readPreference.mode === 'primary') return session;
  const { readPreference } = client;
  const hello = await session.reading(() => client.db('admin').command({ hello: 1 }, { readPreference }));
  const member: unknown = hello['me'];
  return typeof member === 'string' ? await call.session(directTo(connection, member)) : session;
}

/** The same connection, to one member by the name that it goes by in its set: `host:port`. */
export function directTo(connection: Connection, member: string): Connection {
  const colon = member.lastIndexOf(':');
  const kept = Object.entries(connection.parameters ?? {}).filter(([name]) => !LEADS_ELSEWHERE.has(name));
  return {
    ...connection,
    host: member.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(member.slice(colon + 1)),
    parameters: { ...Object.fromEntries(kept), directConnection: 'true' },
  };
}
