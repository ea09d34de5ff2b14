/** What a server answers, of which nothing is known before it was looked at. */
export type Fields = Record<string, unknown>;

/** A document's fields; none when it is no document. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The documents of a list; none when it is no list. */
export function documentsIn(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** A text that is not empty. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
