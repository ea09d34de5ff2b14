import { escapePointer } from './json-pointer.js';

/** JSON pointers to every text of a parsed body, names included, that holds a NUL character. */
export function pointersToNul(value: unknown, pointer = ''): string[] {
  if (typeof value === 'string') return value.includes('\0') ? [pointer] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = `${pointer}/${escapePointer(name)}`;
    return name.includes('\0') ? [path] : pointersToNul(inner, path);
  });
}
