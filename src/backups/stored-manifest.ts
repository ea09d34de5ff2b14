import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';

import { keyBeside } from '../archive/archive-format.js';
import type { Manifest, ManifestPart } from '../archive/manifest.js';
import { decodeManifest } from '../archive/manifest-codec.js';
import { Catalog } from '../catalog/catalog.js';
import { readObject } from '../storage/open-object.js';
import type { Storage } from '../storage/storage.js';
import { StorageRegistry } from '../storage/storage-registry.js';
import { BackupCopy } from './backup-copy.entity.js';
import { FINISHED_COPIES } from './backup-states.js';
import type { Backup } from './backup.entity.js';
import { BackupStateError, ManifestChangedError } from './backups.errors.js';
import { CopyFaults } from './copy-faults.js';

/** A backup's archive set as it lies at a destination, opened and known to be the one that was written. */
export interface ArchiveSet {
  storage: Storage;
  copy: BackupCopy;
  manifest: Manifest;
  /** The manifest's own bytes. */
  text: string;
  keyOf(part: ManifestPart): string;
}

/** Which copy is opened, and who may end that. */
export interface CopyChoice {
  copy?: BackupCopy;
  signal?: AbortSignal;
}

/** Opens the archive set of a completed backup. */
@Injectable()
export class StoredManifests {
  constructor(
    private readonly catalog: Catalog,
    private readonly storages: StorageRegistry,
    private readonly faults: CopyFaults,
  ) {}

  /**
   * Opens the best copy, or the one that is asked for. One that was found damaged or missing is opened too: it may have been
   * mended, and reading tells.
   * @throws BackupStateError when the backup has no archive
   * @throws ManifestChangedError when the manifest is not byte for byte the one that was written
   */
  async open(backup: Backup, choice: CopyChoice = {}): Promise<ArchiveSet> {
    const copy = choice.copy ?? (await this.copiesOf(backup.id)).at(0);
    if (copy === undefined || backup.status !== 'completed') {
      throw new BackupStateError(backup.id, backup.status, 'read: it has no archive');
    }
    const storage = this.storages.open(copy.destination);
    return this.faults.watch(copy, async () => {
      const bytes = await readObject(storage, copy.manifestKey, choice.signal);
      if (createHash('sha256').update(bytes).digest('hex') !== backup.manifestSha256) {
        throw new ManifestChangedError(backup.id, 'its SHA-256 differs from the catalog');
      }
      const text = bytes.toString('utf8');
      const manifest = decodeManifest(text);
      return { storage, copy, manifest, text, keyOf: (part) => keyBeside(copy.key, part.filename) };
    });
  }

  /** All copies whose objects were all stored once, good ones first. */
  async copiesOf(backupId: string): Promise<BackupCopy[]> {
    const copies = await this.catalog.read.findBy(BackupCopy, { backupId, state: In([...FINISHED_COPIES]) });
    return FINISHED_COPIES.flatMap((state) => copies.filter((copy) => copy.state === state));
  }
}
