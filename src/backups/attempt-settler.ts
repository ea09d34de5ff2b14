import { createHash } from 'node:crypto';

import { Injectable, Logger } from '@nestjs/common';
import { In } from 'typeorm';

import { keyBeside } from '../archive/archive-format.js';
import type { Manifest } from '../archive/manifest.js';
import { decodeManifest } from '../archive/manifest-codec.js';
import { ArchiveDamagedError, ArchiveMissingError } from '../archive/archive.errors.js';
import { ManifestInvalidError } from '../archive/manifest.errors.js';
import { verifyParts } from '../archive/unpack.js';
import { Catalog } from '../catalog/catalog.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { readObject } from '../storage/open-object.js';
import { StorageObjectMissingError } from '../storage/storage.errors.js';
import { StorageRegistry } from '../storage/storage-registry.js';
import { BackupCopy } from './backup-copy.entity.js';
import { CopyCleaner } from './copy-cleaner.js';

/**
 * The errors that prove an attempt to be worthless. Every other one (no right to read, a manifest of a newer Backstop, an
 * abort, a storage that is away) says nothing about the archive, and must never be a reason to remove it.
 */
const PROOFS_OF_DAMAGE = [
  ArchiveDamagedError,
  ArchiveMissingError,
  ManifestInvalidError,
  StorageObjectMissingError,
];

/** An attempt whose process died after its manifest was stored: the backup is good, only its row does not say so yet. */
export interface SurvivedAttempt {
  copy: BackupCopy;
  manifest: Manifest;
  manifestSha256: string;
}

/**
 * Decides, after a crash, what a dead attempt was worth. The manifest is written last, so: manifest there and every part
 * confirmed byte for byte, the backup is good; anything else is garbage, and exactly its own objects are removed.
 */
@Injectable()
export class AttemptSettler {
  readonly #log = new Logger('Recovery');

  constructor(
    private readonly catalog: Catalog,
    private readonly storages: StorageRegistry,
    private readonly cleaner: CopyCleaner,
  ) {}

  /**
   * Settles every unfinished attempt of a backup; gives the one that survived, if one did. Throws when it cannot tell what
   * one is worth; nothing of that one is removed then.
   */
  async settle(backupId: string, signal: AbortSignal): Promise<SurvivedAttempt | undefined> {
    const unfinished = await this.catalog.read.find(BackupCopy, {
      where: { backupId, state: In(['writing', 'discarding']) },
      order: { attempt: 'DESC' },
    });
    let survived: SurvivedAttempt | undefined;
    for (const copy of unfinished) {
      survived ??= await this.#confirm(copy, signal);
      if (survived?.copy !== copy) await this.#discard(copy);
    }
    return survived;
  }

  /** Garbage that cannot be removed now stays named, for the sweeper: it must not keep the next attempt from its turn. */
  async #discard(copy: BackupCopy): Promise<void> {
    try {
      await this.cleaner.discardUnfinished(copy);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.#log.warn(
        { err: error, backupId: copy.backupId },
        'partial files could not be removed yet; the sweeper will',
      );
    }
  }

  async #confirm(copy: BackupCopy, signal: AbortSignal): Promise<SurvivedAttempt | undefined> {
    if (copy.state !== 'writing') return undefined;
    const storage = this.storages.open(copy.destination);
    if ((await storage.stat(copy.manifestKey)) === undefined) return undefined;
    reached('settling.manifest-found');
    try {
      const bytes = await readObject(storage, copy.manifestKey);
      const manifest = decodeManifest(bytes.toString('utf8'));
      if (manifest.backup_id !== copy.backupId || manifest.attempt !== copy.attempt) return undefined;
      await verifyParts({ storage, manifest, keyOf: (part) => keyBeside(copy.key, part.filename) }, signal);
      reached('settling.archive-confirmed');
      return { copy, manifest, manifestSha256: createHash('sha256').update(bytes).digest('hex') };
    } catch (error) {
      if (!PROOFS_OF_DAMAGE.some((proof) => error instanceof proof)) throw error;
      this.#log.warn(
        { err: error, backupId: copy.backupId },
        'the attempt of a dead process is not whole; removing it',
      );
      return undefined;
    }
  }
}
