import type { Document } from 'mongodb';

import { documentsOf } from './archive/archive-events.js';
import { documentsIn, textIn } from './fields.js';
import { driverInternals } from './mongo-driver.js';
import { DocumentsRefusedError, DuplicateKeyError } from './mongo.errors.js';
import type { MongoSession } from './mongo-session.js';

/** A section of documents in a message (kind 1 of OP_MSG), of bytes that are BSON already. */
interface DocumentSequence {
  push(document: Document, bytes: Uint8Array): number;
}

/**
 * The driver's own class for that. It is not a part of its public interface, which has no other way to insert documents without
 * decoding and encoding them: and a document that is decoded does not always come back byte for byte (keys that occur twice, types
 * that are out of use). `package.json` pins the driver; a test inserts such documents.
 */
function openSequence(field: string): DocumentSequence {
  const internals = driverInternals('mongodb/lib/cmap/commands.js');
  if (!hasDocumentSequence(internals))
    throw new TypeError('the MongoDB driver has no DocumentSequence any more');
  return new internals.DocumentSequence(field);
}

function hasDocumentSequence(
  value: unknown,
): value is { DocumentSequence: new (field: string) => DocumentSequence } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'DocumentSequence' in value &&
    typeof value.DocumentSequence === 'function'
  );
}

const DUPLICATE_KEY = 11_000;
/** Stands in the driver's list for a document that it need not know. */
const UNREAD: Document = {};

/**
 * Inserts documents as the bytes that they are, in order, past the collection's validator: they were there when it was made.
 * @param batch whole documents one after the other, no more than the server takes at once
 * @throws DuplicateKeyError, DocumentsRefusedError when even one was not inserted
 */
export async function insertRaw(
  session: MongoSession,
  { database, collection }: { database: string; collection: string },
  batch: { bytes: Uint8Array; count: number },
  options: { majority: boolean },
): Promise<void> {
  const documents = openSequence('documents');
  for (const document of documentsOf(batch.bytes)) documents.push(UNREAD, document);
  const answer = await session.command(database, {
    insert: collection,
    documents,
    ordered: true,
    bypassDocumentValidation: true,
    ...(options.majority && { writeConcern: { w: 'majority' } }),
  });
  const namespace = `${database}.${collection}`;
  const [error] = documentsIn(answer['writeErrors']).map((fields) => ({
    code: Number(fields['code'] ?? 0),
    reason: textIn(fields['errmsg']) ?? 'it does not say why',
  }));
  if (error?.code === DUPLICATE_KEY) throw new DuplicateKeyError(namespace, error.reason);
  const inserted = Number(answer['n'] ?? 0);
  if (error !== undefined || inserted !== batch.count) {
    throw new DocumentsRefusedError(
      namespace,
      batch.count - inserted,
      error?.reason ?? 'it does not say why',
    );
  }
  const concern = answer['writeConcernError'];
  if (concern !== undefined) throw new DocumentsRefusedError(namespace, batch.count, JSON.stringify(concern));
}
