import type { DatabaseEdits } from '../databases/database-edits.js';
import type { ScheduleEdits } from '../scheduler/schedule-edits.js';
import type { Fault, FilePath } from './fault.js';

/** One entry of the file, without those of its fields that cannot be. */
interface Entry {
  path: FilePath;
  name: string;
  /** Whether some of its fields are missing here because they are wrong; then it is never applied. */
  isFaulty: boolean;
}

/** A database that the file names, with what it says of it. */
export interface DatabaseDeclaration extends Entry {
  engine: string | undefined;
  edits: DatabaseEdits;
}

/** A schedule that the file names. */
export interface ScheduleDeclaration extends Entry {
  /** Name or id. */
  database: string;
  edits: ScheduleEdits & { name: string };
}

/** What a file says, and what of it is wrong as far as that can be told from the file alone. */
export interface Declarations {
  databases: DatabaseDeclaration[];
  schedules: ScheduleDeclaration[];
  faults: Fault[];
  /** The line of a path of the file. */
  lineOf: (path: FilePath) => number | undefined;
}

/** What is wrong at a place of the file, before its line is looked up. */
export interface Problem {
  path: FilePath;
  detail: string;
}
