import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { BackupRemoval } from '../backups/backup-removal.js';
import { BackupUses } from '../backups/backup-uses.js';
import { BackupLockedError, BackupStateError } from '../backups/backups.errors.js';
import type { Database } from '../databases/database.entity.js';
import { EventLog } from '../events/event-log.js';

/** Hands a backup that nobody needs any more to the removal, and tells why. */
@Injectable()
export class BackupRetirement {
  readonly #log = new Logger('Retention');

  constructor(
    private readonly removal: BackupRemoval,
    private readonly uses: BackupUses,
    private readonly events: EventLog,
  ) {}

  /**
   * In the caller's transaction, which holds the database.
   * @returns false when it stays for now: it is being restored or verified, or somebody has just locked or removed it
   */
  async retire(
    tx: EntityManager,
    database: Database,
    backupId: string,
    reasons: readonly string[],
  ): Promise<boolean> {
    // Asked first: what the removal has changed before it finds out would stay changed here.
    if ((await this.uses.of(tx, backupId)).length > 0) return false;
    try {
      // Not as a person would ask: the plan has kept the newest proven one already.
      await this.removal.request(tx, backupId, { force: true });
    } catch (error) {
      if (error instanceof BackupLockedError || error instanceof BackupStateError) return false;
      throw error;
    }
    this.events.append(tx, {
      name: 'BackupRetired',
      subject: { kind: 'backup', id: backupId },
      database: { id: database.id, name: database.name },
      facts: { reasons: [...reasons] },
    });
    this.#log.log({ backupId, database: database.name, reasons }, 'retention lets a backup go');
    return true;
  }
}
