import { Injectable, Logger } from '@nestjs/common';
import { In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupEvidence } from './backup-evidence.js';
import { FINISHED_COPIES } from './backup-states.js';
import { faultOf } from './copy-fault.js';

/**
 * Writes down what reading has shown of a copy. A backup without a readable copy has no evidence at all, so that nothing that
 * asks for evidence (a filter, the protection of the newest proven one) takes it for a good one.
 */
@Injectable()
export class CopyFaults {
  readonly #log = new Logger('Copies');

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly evidence: BackupEvidence,
  ) {}

  /** Runs what reads a copy; an error that proves the copy to be bad is noted on its way. */
  async watch<T>(copy: BackupCopy, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      await this.note(copy, error);
      throw error;
    }
  }

  /** Notes an error that reading a copy ended with, when it proves the copy to be bad. Never rejects. */
  async note(copy: BackupCopy, error: unknown): Promise<void> {
    const state = faultOf(error);
    if (state === undefined || !(error instanceof DomainError)) return;
    const fault = { faultAt: this.clock.now(), faultCode: error.code, faultDetail: error.message };
    const { backupId } = copy;
    try {
      await this.catalog.write(async (tx) => {
        const ours = { id: copy.id, state: In([...FINISHED_COPIES]) };
        if ((await tx.update(BackupCopy, ours, { state, ...fault })).affected !== 1) return; // it is being removed
        if (await tx.existsBy(BackupCopy, { backupId, state: 'stored' })) return;
        await this.evidence.takeAway(tx, backupId);
      });
      reached('copy.fault-noted');
      this.#log.error(
        { backupId, destination: copy.destination, key: copy.key, ...fault },
        `a copy is ${state}`,
      );
    } catch (trouble) {
      // The error that was met is what whoever reads must hear of.
      this.#log.error({ err: trouble, backupId }, `cannot write down that a copy is ${state}`);
    }
  }

  /** Every object of the copy has just been read and is what was stored: the fault that `copy` tells of is over. */
  async clear(copy: BackupCopy): Promise<void> {
    if (copy.faultAt === null) return;
    const { backupId } = copy;
    const none = { faultAt: null, faultCode: null, faultDetail: null };
    await this.catalog.write(async (tx) => {
      const mended = await tx.update(
        BackupCopy,
        // A fault that somebody has met since is another one.
        { id: copy.id, state: In(['damaged', 'missing']), faultAt: copy.faultAt },
        { state: 'stored', ...none },
      );
      if (mended.affected !== 1) return;
      await this.evidence.record(tx, backupId, { name: 'intact', at: this.clock.now() });
    });
    reached('copy.fault-cleared');
    this.#log.log({ backupId, destination: copy.destination, key: copy.key }, 'a copy reads well again');
  }
}
