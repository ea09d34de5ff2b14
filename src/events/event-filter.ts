import type { EventName } from './event-names.js';

/** What somebody wants to hear of; what is left out does not matter. */
export interface EventFilter {
  /** Id or name. */
  database?: string | undefined;
  subjectId?: string | undefined;
  names?: readonly EventName[] | undefined;
}

/** What a filter looks at. */
export interface Told {
  databaseId: string | null;
  databaseName: string | null;
  subjectId: string;
  /** Undefined for progress, which no choice of names keeps out. */
  name?: EventName;
}

export function isWanted(filter: EventFilter, told: Told): boolean {
  const { database, subjectId, names } = filter;
  if (database !== undefined && database !== told.databaseId && database !== told.databaseName) return false;
  if (subjectId !== undefined && subjectId !== told.subjectId) return false;
  return names === undefined || told.name === undefined || names.includes(told.name);
}
