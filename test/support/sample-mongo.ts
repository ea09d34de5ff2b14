import { Binary, BSON, type Db, Decimal128, Long } from 'mongodb';

/** Documents of each collection of the sample. */
export const SAMPLE_DOCUMENTS: Readonly<Record<string, number>> = {
  customers: 500,
  orders: 2000,
  'with.dots and "quotes"': 3,
  'ünï cødé 🛒': 2,
  '-leading dash': 1,
  empty: 0,
  odd: 5,
  'files.files': 1,
  'files.chunks': 2,
};

/** The largest that the driver inserts: one byte less than the 16 MiB of the server. */
const LARGEST_BYTES = 16 * 1024 * 1024 - 1;

/** Of the sample's index on words, in the collection `odd`. */
const WORDS_INDEX = 'all words';

/**
 * Takes the index on words away. FerretDB makes it when it is asked for the fields; as mongorestore asks for it, by what the index says
 * of itself, FerretDB takes it for an index of everything, and refuses deep documents.
 */
export async function dropWordsIndex(db: Db): Promise<void> {
  await db.collection('odd').dropIndex(WORDS_INDEX);
}

/** Fills a database with what a backup of MongoDB may stumble over, as far as every server of the tests has it. */
export async function fillWithSample(db: Db): Promise<void> {
  await db.collection('customers').insertMany(
    Array.from({ length: 500 }, (_, at) => ({
      _id: at as never,
      name: `Customer ${at}`,
      mail: `c${at}@example.com`,
    })),
  );
  await db.collection('orders').insertMany(
    Array.from({ length: 2000 }, (_, at) => ({
      customer: at % 500,
      total: Decimal128.fromString(`${at}.10`),
      place: { type: 'Point', coordinates: [at % 90, at % 45] },
      note: at % 7 === 0 ? 'a gift' : 'plain',
    })),
  );
  await db.collection('with.dots and "quotes"').insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
  await db.collection('ünï cødé 🛒').insertMany([{ 'ключ 🔑': 'значение' }, { x: 'y' }]);
  await db.collection('-leading dash').insertOne({ x: 1 });
  await db.createCollection('empty');
  await db.collection('odd').insertMany([deepDocument(100), largeDocument(), ...typedDocuments()]);
  await db
    .collection('files.files')
    .insertOne({ length: Long.fromNumber(6), chunkSize: 3, filename: 'a.txt' });
  await db.collection('files.chunks').insertMany([
    { n: 0, data: new Binary(Buffer.from('abc')) },
    { n: 1, data: new Binary(Buffer.from('def')) },
  ]);
  await makeIndexes(db);
}

async function makeIndexes(db: Db): Promise<void> {
  await db.collection('customers').createIndex({ mail: 1 }, { unique: true, name: 'one mail' });
  await db
    .collection('orders')
    .createIndexes([
      { key: { customer: 1, total: -1 } },
      { key: { note: 1 }, partialFilterExpression: { note: { $eq: 'a gift' } } },
      { key: { place: '2dsphere' } },
      { key: { seen: 1 }, expireAfterSeconds: 3600 },
    ]);
  await db.collection('odd').createIndex({ words: 'text' }, { name: WORDS_INDEX });
}

function deepDocument(depth: number): BSON.Document {
  return Array.from({ length: depth - 1 }).reduce<BSON.Document>((inner) => ({ inner }), { deepest: true });
}

/** As large as a document may be, to the byte. */
function largeDocument(): BSON.Document {
  const bare = { _id: 'large', body: new Binary(Buffer.alloc(0)) };
  const room = LARGEST_BYTES - BSON.calculateObjectSize(bare);
  return { ...bare, body: new Binary(Buffer.alloc(room, 7)) };
}

function typedDocuments(): BSON.Document[] {
  return [
    {
      _id: 'types',
      long: Long.MAX_VALUE,
      decimal: Decimal128.fromString('1E-6000'),
      minusZero: -0,
      notANumber: Number.NaN,
      when: new Date(0),
      pattern: /a"b/im,
      nothing: null,
      list: [1, [2, [3]], {}],
      words: 'full text',
    },
    { _id: '', '': '', 'a.b': 1, $c: 2 },
    { _id: 'uuid', id: new BSON.UUID('29b8abd8-0c49-4f03-9af9-c9fd94d3d036') },
  ];
}
