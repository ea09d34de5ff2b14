import type { MigrationInterface } from 'typeorm';

import { CreateReadiness1763700000001 } from './0001-readiness.js';
import { CreateDatabases1763700000002 } from './0002-databases.js';
import { CreateTickets1763700000003 } from './0003-queue.js';
import { CreateBackups1763700000004 } from './0004-backups.js';
import { CreateRestores1763700000005 } from './0005-restores.js';
import { AddInterruptedAttempts1763700000007 } from './0007-interrupted-attempts.js';
import { CreateMarksAndFaults1763700000008 } from './0008-marks-and-faults.js';
import { AddConnectionParameters1763700000009 } from './0009-connection-parameters.js';
import { CreateSchedules1763700000010 } from './0010-schedules.js';
import { AddRetention1763700000011 } from './0011-retention.js';
import { CreateEvents1763700000012 } from './0012-events.js';
import { IndexBackups1763700000013 } from './0013-backup-indexes.js';
import { AddFoldersAndOwnLimits1763700000024 } from './0024-folders-and-own-limits.js';
import { AddScheduleFiring1763700000026 } from './0026-schedule-firing.js';
import { AddTicketsAsked1763700000031 } from './0031-tickets-asked-again.js';
import { CreateRemovedSchedules1763700000032 } from './0032-removed-schedules.js';
import { AddRemovalErrors1763700000033 } from './0033-removal-errors.js';
import { AddDifferences1763700000034 } from './0034-differences.js';
import { IndexLists1763700000040 } from './0040-list-indexes.js';
import { IndexFiltersOfLists1763700000041 } from './0041-filters-of-lists.js';
import { CreateVerifications1763700000042 } from './0042-verifications.js';
import { AddOrigins1763700000043 } from './0043-origins.js';

/**
 * Every migration, oldest first. Files are `NNNN-name.ts`; TypeORM wants 13 digits at the end of the class's name and runs
 * by them, so a class is called `<Name>1763700000NNN` after its file's number. A released migration is never edited.
 */
export const MIGRATIONS: readonly (new () => MigrationInterface)[] = [
  CreateReadiness1763700000001,
  CreateDatabases1763700000002,
  CreateTickets1763700000003,
  CreateBackups1763700000004,
  CreateRestores1763700000005,
  AddInterruptedAttempts1763700000007,
  CreateMarksAndFaults1763700000008,
  AddConnectionParameters1763700000009,
  CreateSchedules1763700000010,
  AddRetention1763700000011,
  CreateEvents1763700000012,
  IndexBackups1763700000013,
  AddFoldersAndOwnLimits1763700000024,
  AddScheduleFiring1763700000026,
  AddTicketsAsked1763700000031,
  CreateRemovedSchedules1763700000032,
  AddRemovalErrors1763700000033,
  AddDifferences1763700000034,
  IndexLists1763700000040,
  IndexFiltersOfLists1763700000041,
  CreateVerifications1763700000042,
  AddOrigins1763700000043,
];
