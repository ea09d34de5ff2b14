import type { Section } from '../harness/section.ts';
import { backup } from './backup.ts';
import { lists } from './lists.ts';
import { metrics } from './metrics.ts';
import { million } from './million.ts';
import { mongo } from './mongo.ts';
import { mongoReader } from './mongo-reader.ts';
import { restore } from './restore.ts';
import { retention } from './retention.ts';
import { schedules } from './schedules.ts';
import { start } from './start.ts';

/** Every section, in the order in which they run. */
export const SECTIONS: readonly Section[] = [
  backup,
  restore,
  start,
  lists,
  metrics,
  schedules,
  retention,
  million,
  mongoReader,
  mongo,
];
