import { createHash, randomUUID } from 'node:crypto';

/**
 * Names of what is not an object yet. They are hidden, recognisable for the sweep, refused as keys (`splitKey`), and of
 * a fixed length, so that the longest object name does not make one that is too long.
 */
const PART = /^\.backstop-[0-9a-f-]{36}\.partial$/;
const CLAIM = /^\.backstop-[0-9a-f]{32}\.claim$/;

/** A fresh name for the bytes of a put under way. */
export function newPartName(): string {
  return `.backstop-${randomUUID()}.partial`;
}

/** The name by which puts of the same object exclude one another where there are no hard links. */
export function claimNameOf(objectName: string): string {
  const digest = createHash('sha256').update(objectName).digest('hex');
  return `.backstop-${digest.slice(0, 32)}.claim`;
}

export function isPartName(name: string): boolean {
  return PART.test(name) || CLAIM.test(name);
}
