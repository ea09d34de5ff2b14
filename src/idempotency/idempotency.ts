/**
 * How long the answer to an `Idempotency-Key` is remembered. Clients repeat a request within minutes; a key that were known for
 * ever would, when a script uses the same one every night, answer with the backup of the first night.
 */
export const IDEMPOTENCY_KEY_AGE_MS = 24 * 60 * 60 * 1000;

/** Whether a record made then still answers for its key. A clock that was set back does not make a key older. */
export function isRemembered(createdAt: Date, now: Date): boolean {
  return now.getTime() - createdAt.getTime() < IDEMPOTENCY_KEY_AGE_MS;
}
