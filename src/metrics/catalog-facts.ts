import { Injectable } from '@nestjs/common';

import { EVIDENCE_LEVELS } from '../backups/backup-states.js';
import { Catalog } from '../catalog/catalog.js';
import { EventQueries } from '../events/event-queries.js';
import type { EventTotal } from '../events/event-total.entity.js';

/** A registered database, as metrics show it. Null where nothing is known. */
export interface DatabaseFacts {
  id: string;
  name: string;
  registeredAt: Date;
  /** Of the newest backup that is stored and has not been found damaged. */
  lastSuccess: { at: Date; sizeBytes: number } | null;
  lastProvenAt: Date | null;
  /** Of the newest completed backup; -1 when its archive was found damaged or missing. Null without a backup. */
  evidenceLevel: number | null;
}

/** Everything that a scrape shows out of the catalog. */
export interface CatalogFacts {
  databases: DatabaseFacts[];
  totals: EventTotal[];
  running: number;
  queued: number;
  /** Backups that are to be removed and could not be when that was last tried. */
  removalFailing: number;
}

type DatabaseRow = Record<string, unknown> & {
  id: string;
  name: string;
  registered: string;
  success: string | null;
  bytes: string | number | null;
  newest: string | null;
  level: number | null;
};

/** What is counted for each database, and what is timed. */
const COUNTED = [
  'BackupCompleted',
  'BackupFailed',
  'BackupRetired',
  'BackupDiffered',
  'RestoreCompleted',
  'ScheduleRunMissed',
] as const;

/** From here on somebody has restored it and compared. */
const PROVEN = EVIDENCE_LEVELS.indexOf('proven');
const PROVEN_LEVELS = EVIDENCE_LEVELS.map((_, level) => level).filter((level) => level >= PROVEN);

/** The newest of a database's completed backups, by ix_backups_database_status. */
const newestBackup = (alias: string, more = ''): string =>
  `(SELECT ${alias}.id FROM backups ${alias} WHERE ${alias}.database_id = d.id AND ${alias}.status = 'completed' ` +
  `${more} ORDER BY ${alias}.created_at DESC LIMIT 1)`;

/** One step in ix_backups_evidence, however many backups were proven. */
const lastAtLevel = (level: number): string =>
  `(SELECT e.evidence_at FROM backups e WHERE e.database_id = d.id AND e.status = 'completed' ` +
  `AND e.evidence_level = ${level} ORDER BY e.evidence_at DESC LIMIT 1) AS proven_${level}`;

const DATABASES = `
  SELECT d.id AS id, d.name AS name, d.created_at AS registered, g.completed_at AS success, g.size_bytes AS bytes,
         n.id AS newest, n.evidence_level AS level, ${PROVEN_LEVELS.map(lastAtLevel).join(', ')}
    FROM databases d
    LEFT JOIN backups g ON g.id = ${newestBackup('s', 'AND s.evidence_level IS NOT NULL')}
    LEFT JOIN backups n ON n.id = ${newestBackup('m')}`;

const ACTIVE = `
  SELECT status, COUNT(*) AS count, COUNT(removal_error_code) AS failing
    FROM backups WHERE status IN ('running', 'queued', 'expiring') GROUP BY status`;

type ActiveRow = Record<'count' | 'failing', string | number> & { status: string };

/** Reads what metrics show, in three questions whose cost does not grow with the number of backups. */
@Injectable()
export class CatalogFactsReader {
  constructor(
    private readonly catalog: Catalog,
    private readonly events: EventQueries,
  ) {}

  async read(): Promise<CatalogFacts> {
    const [databases, active, totals] = await Promise.all([
      this.catalog.read.query<DatabaseRow[]>(DATABASES),
      this.catalog.read.query<ActiveRow[]>(ACTIVE),
      this.events.totals(COUNTED),
    ]);
    const countOf = (status: string, what: 'count' | 'failing' = 'count'): number =>
      Number(active.find((row) => row.status === status)?.[what] ?? 0);
    return {
      databases: databases.map(toFacts),
      totals,
      running: countOf('running'),
      queued: countOf('queued'),
      removalFailing: countOf('expiring', 'failing'),
    };
  }
}

function toFacts(row: DatabaseRow): DatabaseFacts {
  const proven = PROVEN_LEVELS.map((level) => row[`proven_${level}`])
    .filter((at) => typeof at === 'string')
    // ISO text in UTC sorts as time does.
    .toSorted()
    .at(-1);
  return {
    id: row.id,
    name: row.name,
    registeredAt: new Date(row.registered),
    lastSuccess: row.success === null ? null : { at: new Date(row.success), sizeBytes: Number(row.bytes) },
    lastProvenAt: proven === undefined ? null : new Date(proven),
    evidenceLevel: row.newest === null ? null : (row.level ?? -1),
  };
}
