import { SubscribedDatabaseError } from './postgres.errors.js';
import { identifier, type PostgresSession } from './postgres-session.js';

/** Whether a database has subscriptions, for which the server refuses to drop it. Asked from any other database. */
export async function hasSubscriptions(session: PostgresSession, databaseName: string): Promise<boolean> {
  const { found } = await session.one<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
                     WHERE d.datname = $1) AS found`,
    [databaseName],
  );
  return found;
}

/**
 * Drops the subscriptions of the session's database that have never met their publisher: `pg_dump` writes all of them with
 * `connect = false`, so that those of a restored copy are disabled and know no table. Another one may have a slot at the
 * publisher, where it would hold back the log for ever; nothing is dropped then.
 * @throws SubscribedDatabaseError
 */
export async function dropUnusedSubscriptions(session: PostgresSession): Promise<void> {
  const subscriptions = await session.query<{ name: string; unused: boolean }>(
    `SELECT subname AS name, NOT subenabled AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = s.oid) AS unused
       FROM pg_catalog.pg_subscription s
      WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
  );
  const used = subscriptions.filter(({ unused }) => !unused).map(({ name }) => name);
  if (used.length > 0) throw new SubscribedDatabaseError(used);
  for (const { name } of subscriptions) {
    await session.query(`ALTER SUBSCRIPTION ${identifier(name)} SET (slot_name = NONE)`);
    await session.query(`DROP SUBSCRIPTION ${identifier(name)}`);
  }
}
