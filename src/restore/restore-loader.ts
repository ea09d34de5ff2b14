import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import type { Manifest, ManifestPart } from '../archive/manifest.js';
import { openPart } from '../archive/unpack.js';
import { CopyFaults } from '../backups/copy-faults.js';
import { Clock } from '../clock/clock.js';
import { StallGuard } from '../clock/stall-guard.js';
import { Config } from '../config/config.js';
import type { ContentFacts } from '../engines/content-facts.js';
import type { Connection, EngineCall, RestoreOutcome } from '../engines/engine.js';
import { reached } from '../process/phase-points.js';
import { compareCopy } from './copy-comparison.js';
import { notesOnExtensions } from './extension-notes.js';
import type { RunningRestore } from './restore-progress.js';
import { RestoreStalledError } from './restore.errors.js';
import type { RestoreResult } from './restore-result.js';
import type { RestoreWork } from './restore-work.js';

/** Loads an archive into the database that was made for it, and compares what came out with the manifest. */
@Injectable()
export class RestoreLoader {
  constructor(
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly faults: CopyFaults,
  ) {}

  /** @throws RestoreDiffersError, and whatever the archive, the tool or the server says */
  async load(work: RestoreWork): Promise<RestoreResult> {
    const { showsLife } = work.engine.traits;
    const { stallSeconds } = this.config;
    const guard = new StallGuard(this.clock, {
      ms: stallSeconds * 1000,
      reason: () => new RestoreStalledError(work.restore.id, stallSeconds),
    });
    const signal = AbortSignal.any([work.signal, guard.signal]);
    const loading = this.#load({ ...work, signal }, guard);
    return showsLife ? guard.watch(loading) : loading;
  }

  async #load(work: RestoreWork, guard: StallGuard): Promise<RestoreResult> {
    const { restore, set, engine, running, signal } = work;
    const { manifest } = set;
    const fresh = connectionToFresh(work);
    const call = callOf(running, signal, guard);
    const data = dataPartOf(manifest);

    running.enter('restoring', data.plain.size_bytes);
    const startedMs = this.clock.monotonicMs();
    const outcome = await this.faults.watch(set.copy, () => this.#restore(work, data, fresh, call));
    reached('restore.loaded');
    const restoreMs = Math.round(this.clock.monotonicMs() - startedMs);

    running.enter('comparing');
    // What was made holds nothing but what was chosen, under names that a choice among several databases does not know.
    const scope = { ...manifest.options, includeTables: [], hashContent: hasHashes(manifest) };
    const found = await engine.measure(fresh, scope, call);
    const nameNow = (name: string): string => outcome.itemNames?.[name] ?? name;
    const isOfServer = manifest.database.database_name === '';
    const { compared, notes } = isOfServer
      ? compareCopy(withNames(manifest.content, nameNow), found, namesOf(outcome, restore.tables))
      : compareCopy(manifest.content, found, restore.tables);
    const { server } = await engine.probe(fresh, call);
    reached('restore.compared');
    return {
      restoreMs,
      compared,
      verified: true,
      notes: [
        ...outcome.notes,
        ...notes,
        ...notesOnExtensions(manifest.server, server),
        ...notesOnRoles(manifest),
      ],
    };
  }

  async #restore(
    { restore, set, engine, running, signal }: RestoreWork,
    data: ManifestPart,
    fresh: Connection,
    call: EngineCall,
  ): Promise<RestoreOutcome> {
    await mkdir(this.config.workDir, { recursive: true, mode: 0o700 });
    const workDir = await mkdtemp(join(this.config.workDir, 'restore-'));
    let bytes: Readable | undefined;
    try {
      const { format, compression } = set.manifest;
      bytes = await openPart(set.storage, set.keyOf(data), data, compression, signal);
      const choice = {
        format,
        jobs: restore.jobs,
        workDir,
        ...(restore.tables && { items: restore.tables }),
      };
      return await engine.restore(fresh, counted(bytes, running, call), choice, call);
    } finally {
      bytes?.destroy(); // an engine that refuses before it reads leaves the archive open
      await rm(workDir, { recursive: true, force: true });
    }
  }
}

function withNames(content: ContentFacts, nameNow: (name: string) => string): ContentFacts {
  return { ...content, items: content.items.map((item) => ({ ...item, name: nameNow(item.name) })) };
}

/** What is compared of an archive of several databases: those that were loaded, by the names that they have now. */
function namesOf({ itemNames = {} }: RestoreOutcome, tables: readonly string[] | null): readonly string[] {
  return (tables ?? Object.keys(itemNames)).map((name) => itemNames[name] ?? name);
}

function connectionToFresh({ restore, connection }: RestoreWork): Connection {
  if (restore.freshName === null) throw new Error(`restore ${restore.id} has no database to load into`);
  return { ...connection, databaseName: restore.freshName };
}

function dataPartOf(manifest: Manifest): ManifestPart {
  const data = manifest.parts.find((part) => part.role === 'data');
  if (data === undefined) throw new Error(`the manifest of backup ${manifest.backup_id} names no data`);
  return data;
}

/** The same bytes, and the same end or error, with what has passed shown as progress. */
function counted(bytes: Readable, running: RunningRestore, { life }: EngineCall): Readable {
  async function* count(): AsyncGenerator<Buffer> {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      running.progress.bytes += chunk.length;
      life?.tell();
      yield chunk;
      reached('restore.bytes-loaded');
    }
  }
  return Readable.from(count(), { objectMode: false });
}

function callOf({ progress }: RunningRestore, signal: AbortSignal, guard: StallGuard): EngineCall {
  return {
    signal,
    life: { everyMs: guard.everyMs, tell: guard.alive },
    onProgress: (update) => {
      progress.item = update.item ?? progress.item;
      progress.itemsDone = update.itemsDone;
      progress.itemsTotal = update.itemsTotal ?? progress.itemsTotal;
    },
  };
}

/** Roles belong to the whole server, so they are never restored by the way. */
function notesOnRoles(manifest: Manifest): string[] {
  const roles = manifest.parts.find((part) => part.role === 'roles');
  if (roles === undefined) return [];
  return [
    `The archive also holds the roles of its server, which were not restored because they belong to the whole server. ` +
      `Unpack ${roles.filename} and run it with the server's own client as a superuser, where roles are missing.`,
  ];
}

/** Also asked for in the options, because a database may have nothing but large objects. */
function hasHashes({ options, content }: Manifest): boolean {
  return options.hashContent === true || content.items.some((item) => item.contentHash !== undefined);
}
