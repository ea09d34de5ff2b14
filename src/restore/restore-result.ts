/** What came out of a restore. Stored as JSON in its row. */
export interface RestoreResult {
  /** How long the data took to load, without the checks before and after, in milliseconds: what a real recovery takes. */
  restoreMs: number;
  compared: ComparedFigures;
  /** Whether the copy equals the manifest in all that was compared. */
  verified: boolean;
  /** Things that somebody should know: what was left out on purpose, what could not be compared, what to do next. */
  notes: string[];
}

/** How much of the copy was compared with the manifest. */
export interface ComparedFigures {
  items: number;
  rows: number;
  /** Items whose content was compared too, and not only the number of their rows. */
  hashes: number;
  /** Whether the definitions were compared; they cannot be between different majors of a server, nor for single tables. */
  schema: boolean;
  /** Rows that are missing because the server lets them expire by themselves. Unless 0, the copy was not shown to be exact. */
  expired: number;
}

/**
 * What a whole copy shows of its backup: `proven` when everything was compared and equal, and only `restorable` when the definitions
 * could not be compared, or rows had expired before they were counted. Pure.
 */
export function evidenceShownBy({ schema, expired }: ComparedFigures): 'proven' | 'restorable' {
  return schema && expired === 0 ? 'proven' : 'restorable';
}
