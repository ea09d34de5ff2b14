import { createHash } from 'node:crypto';

/** One text for one content, whatever the order of its fields. What is `undefined` is not there. */
export function requestText(content: unknown): string {
  return JSON.stringify(content, (_name, value: unknown) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).toSorted(byName)) : value,
  );
}

/**
 * By which a request is known again that says nothing secret, 43 characters long. Never for one with a password in it: who reads this can
 * try out what was said (see `SecretBox.mark`).
 */
export function requestDigest(content: unknown): string {
  return createHash('sha256').update(requestText(content), 'utf8').digest('base64url');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
