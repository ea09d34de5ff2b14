import { Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { abortReason } from '../../process/abort-reason.js';
import type { EngineCall, Inspection } from '../engine.js';
import { ArchiveReader } from './archive/archive-reader.js';
import { isWanted, itemName } from './mongo-collections.js';

/**
 * Reads an archive to its end without a server and without a tool. Rejects with `archive-foreign` or `archive-unreadable` when it is not
 * whole, also when bytes follow its end or a checksum is wrong.
 */
export async function inspectArchive(bytes: Readable, call: EngineCall): Promise<Inspection> {
  const reader = new ArchiveReader();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(bytes, reader, nowhere, { signal: call.signal });
  } catch (error) {
    if (call.signal.aborted) throw abortReason(call.signal);
    throw error;
  }
  const { prelude, plainBytes } = reader.content;
  const kept = prelude.entries.filter(
    ({ database, collection, type }) => database !== '' && type !== 'view' && isWanted('', collection, {}),
  );
  const isWhole = new Set(kept.map(({ database }) => database)).size > 1;
  return { items: kept.map((entry) => itemName(entry, isWhole)).sort(), plainBytes };
}
