import { createHash, randomUUID } from 'node:crypto';

/**
 * Names of what is not an object yet. They are hidden, recognisable for the sweep, refused as keys (`splitKey`), and of
 * a fixed length, so that the longest object name does not make one that is too long.
 */
const PART = /^\.backstop-[0-9a-f-]{36}(?:-([0-9a-f]{32}))?\.partial$/;
const CLAIM = /^\.backstop-([0-9a-f]{32})\.claim$/;

/** A fresh name for the bytes of a put under way. It tells whose part it is to who knows the object's name. */
export function newPartName(objectName: string): string {
  return `.backstop-${randomUUID()}-${digestOf(objectName)}.partial`;
}

/** The name by which puts of the same object exclude one another where there are no hard links. */
export function claimNameOf(objectName: string): string {
  return `.backstop-${digestOf(objectName)}.claim`;
}

export function isPartName(name: string): boolean {
  return PART.test(name) || CLAIM.test(name);
}

/** Whether this part belongs to a put of that object. Parts of versions before do not tell. */
export function isPartOf(partName: string, objectName: string): boolean {
  const digest = PART.exec(partName)?.[1] ?? CLAIM.exec(partName)?.[1];
  return digest === digestOf(objectName);
}

function digestOf(objectName: string): string {
  return createHash('sha256').update(objectName).digest('hex').slice(0, 32);
}
