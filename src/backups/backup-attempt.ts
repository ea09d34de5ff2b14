import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { type ArchiveNames, archiveNames } from '../archive/archive-format.js';
import { ArchiveStalledError } from '../archive/archive.errors.js';
import { MANIFEST_FORMAT_VERSION, type Manifest, type ManifestPart } from '../archive/manifest.js';
import { encodeManifest } from '../archive/manifest-codec.js';
import { packPart } from '../archive/pack.js';
import { Clock } from '../clock/clock.js';
import { StallGuard } from '../clock/stall-guard.js';
import { withTimeLimit } from '../clock/time-limit.js';
import type { Dump, EngineCall, EngineTraits } from '../engines/engine.js';
import { reached } from '../process/phase-points.js';
import type { AttemptPlan } from './attempt-planner.js';
import type { RunningBackup } from './backup-progress.js';
import {
  CommitStalledError,
  CountingStalledError,
  DumpEmptyError,
  DumpNotOpenedError,
} from './backups.errors.js';

/** Takes the names for the objects in the catalog, before the first byte is stored under them. */
export type Reserve = (name: (sequence: number) => ArchiveNames) => Promise<ArchiveNames>;

export interface AttemptResult {
  manifest: Manifest;
  manifestSha256: string;
}

/**
 * One attempt to make an archive: the way of a chunk, and the first half of the commit protocol. It resolves only when the
 * tool exited 0, every part was confirmed by the storage, the content was counted, and the manifest, written last, was
 * confirmed too. What it leaves behind when it fails is named by the reservation, and is for the caller to remove.
 */
@Injectable()
export class BackupAttempt {
  constructor(private readonly clock: Clock) {}

  async run(
    plan: AttemptPlan,
    reserve: Reserve,
    running: RunningBackup,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const startedAt = this.clock.now();
    const guard = this.#guardCounting(plan);
    const call = callOf(running, AbortSignal.any([signal, guard.signal]), plan.engine.traits, guard);
    running.enter('connecting');
    const dump = await this.#open(plan, call);
    reached('backup.dump-opened');
    try {
      const names = await reserve((sequence) =>
        archiveNames({
          databaseName: plan.backup.databaseName,
          at: startedAt,
          extension: dump.extension,
          compression: plan.compression,
          sequence,
        }),
      );
      reached('backup.names-reserved');
      running.enter('dumping');
      const parts = await this.#packAll(plan, dump, names, running, call);
      reached('backup.archive-stored');
      running.enter('counting');
      const content = await (plan.engine.traits.showsLife ? guard.watch(dump.content) : dump.content);
      reached('backup.content-counted');
      running.enter('committing');
      const manifest: Manifest = {
        ...describe(plan, dump),
        created_at: startedAt.toISOString(),
        completed_at: this.clock.now().toISOString(),
        parts,
        content,
      };
      const manifestSha256 = await this.#storeManifest(plan, names.manifestKey, manifest, signal);
      reached('backup.manifest-stored');
      return { manifest, manifestSha256 };
    } finally {
      // After success this does nothing; after a failure it stops the tool and closes the snapshot.
      dump.bytes.destroy();
    }
  }

  /** Before the first byte nothing else watches for a stall: a table that somebody has locked would hold us for ever. */
  async #open(plan: AttemptPlan, call: EngineCall): Promise<Dump> {
    const limit = {
      ms: plan.stallMs,
      reason: new DumpNotOpenedError(plan.stallMs / 1000, plan.limitedBy.stall),
    };
    return withTimeLimit(this.clock, limit, call.signal, (signal) =>
      plan.engine.dump(plan.connection, plan.scope, { ...call, signal }),
    );
  }

  /** Behind the last byte of the dump nothing moves any more; a session that never answers would hold us for ever. */
  #guardCounting({ stallMs, limitedBy }: AttemptPlan): StallGuard {
    return new StallGuard(this.clock, {
      ms: stallMs,
      reason: () => new CountingStalledError(stallMs / 1000, limitedBy.stall),
    });
  }

  async #packAll(
    plan: AttemptPlan,
    dump: Dump,
    names: ArchiveNames,
    running: RunningBackup,
    call: EngineCall,
  ): Promise<ManifestPart[]> {
    const data = await this.#pack(plan, dump.bytes, 'data', names.dataKey, running, call.signal);
    if (data.plain.size_bytes === 0) throw new DumpEmptyError(dump.tool.name);
    const parts = [data];
    for (const companion of dump.companions) {
      const bytes = await companion.open(call);
      parts.push(await this.#pack(plan, bytes, companion.role, names.rolesKey, running, call.signal));
    }
    return parts;
  }

  async #pack(
    plan: AttemptPlan,
    source: Readable,
    role: ManifestPart['role'],
    key: string,
    running: RunningBackup,
    signal: AbortSignal,
  ): Promise<ManifestPart> {
    const before = running.progress.bytes;
    const packed = await packPart({
      source,
      compression: plan.compression,
      ...(plan.compressionLevel === undefined ? {} : { level: plan.compressionLevel }),
      store: (bytes, storeSignal) => plan.storage.put(key, bytes, storeSignal),
      signal,
      stallMs: plan.stallMs,
      clock: this.clock,
      onProgress: ({ plainBytes }) => {
        running.progress.bytes = before + plainBytes;
      },
    });
    return {
      role,
      filename: key.slice(key.lastIndexOf('/') + 1),
      plain: { size_bytes: packed.plain.sizeBytes, sha256: packed.plain.sha256 },
      stored: { size_bytes: packed.stored.sizeBytes, sha256: packed.stored.sha256 },
    };
  }

  /** The same rules as for a part: it must be confirmed byte for byte, and its destination may not stand still. */
  async #storeManifest(
    plan: AttemptPlan,
    key: string,
    manifest: Manifest,
    signal: AbortSignal,
  ): Promise<string> {
    const { storage, stallMs, limitedBy } = plan;
    try {
      const { stored } = await packPart({
        source: Readable.from([Buffer.from(encodeManifest(manifest))]),
        compression: 'none',
        store: (bytes, storeSignal) => storage.put(key, bytes, storeSignal),
        signal,
        stallMs,
        clock: this.clock,
      });
      return stored.sha256;
    } catch (error) {
      if (!(error instanceof ArchiveStalledError)) throw error;
      throw new CommitStalledError(stallMs / 1000, limitedBy.stall);
    }
  }
}

function callOf(
  running: RunningBackup,
  signal: AbortSignal,
  { showsLife }: EngineTraits,
  guard: StallGuard,
): EngineCall {
  const { progress, log } = running;
  return {
    signal,
    ...(showsLife && { life: { everyMs: guard.everyMs, tell: guard.alive } }),
    onLog: (line) => log.add(line),
    onProgress: (update) => {
      progress.item = update.item ?? progress.item;
      progress.itemsDone = update.itemsDone;
      progress.itemsTotal = update.itemsTotal ?? progress.itemsTotal;
      progress.share = update.share ?? progress.share;
    },
  };
}

function describe(
  plan: AttemptPlan,
  dump: Dump,
): Omit<Manifest, 'created_at' | 'completed_at' | 'parts' | 'content'> {
  const { backup, connection } = plan;
  return {
    format_version: MANIFEST_FORMAT_VERSION,
    backup_id: backup.id,
    attempt: plan.attempt,
    trigger: backup.trigger,
    description: backup.description,
    engine: plan.engine.kind,
    database: {
      name: backup.databaseName,
      database_name: connection.databaseName,
      host: connection.host,
      port: connection.port,
    },
    server: dump.server,
    tool: dump.tool,
    written_by: plan.writtenBy,
    format: dump.format,
    options: plan.scope,
    compression: plan.compression,
    encryption: null,
  };
}
