import type { ConnectionParameter, EngineTraits } from '../engine.js';

const word = (words: string, pattern: RegExp): ConnectionParameter['rule'] => ({ pattern, words });
const HOST_AND_PORT = String.raw`(?:[^\s,/?#@:[\]]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?`;

/** Names as in MongoDB's own URIs, so that what people know is right. */
export const MONGO_PARAMETERS = [
  {
    name: 'authSource',
    description: 'Database that knows the user; admin when left out.',
    rule: word('must be the name of a database', /^[^/\\. "$*<>:|?\0]{1,63}$|^\$external$/u),
    isAddress: false,
  },
  {
    name: 'authMechanism',
    description: 'How the user proves who he is; found out when left out.',
    rule: word(
      'must be SCRAM-SHA-256, SCRAM-SHA-1, MONGODB-X509 or PLAIN',
      /^(SCRAM-SHA-256|SCRAM-SHA-1|MONGODB-X509|PLAIN)$/,
    ),
    isAddress: false,
  },
  {
    name: 'replicaSet',
    description: 'Name of the replica set; its members are then found by themselves.',
    rule: word('must be the name of a replica set', /^[^\s/,?#&\0]{1,128}$/u),
    isAddress: true,
  },
  {
    name: 'seeds',
    description:
      'Further members as host:port with commas between; in a URI they stand behind the first host.',
    rule: word(
      'must be a list of host:port with commas between',
      new RegExp(`^${HOST_AND_PORT}(?:,${HOST_AND_PORT}){0,49}$`, 'u'),
    ),
    isAddress: true,
  },
  {
    name: 'srv',
    description: 'true: the host is a name whose SRV record lists the members, as in mongodb+srv://.',
    rule: word('must be true or false', /^(true|false)$/),
    isAddress: true,
  },
  {
    name: 'directConnection',
    description: 'true: this member alone is spoken to, though it belongs to a replica set.',
    rule: word('must be true or false', /^(true|false)$/),
    isAddress: true,
  },
  {
    name: 'readPreference',
    description: 'Which members are read from: primary when left out; secondaryPreferred spares the primary.',
    rule: word(
      'must be primary, primaryPreferred, secondary, secondaryPreferred or nearest',
      /^(primary|primaryPreferred|secondary|secondaryPreferred|nearest)$/,
    ),
    isAddress: false,
  },
] as const satisfies readonly ConnectionParameter[];

export type MongoParameter = (typeof MONGO_PARAMETERS)[number]['name'];

/** What makes a dump. `auto`: `mongodump` where it is found and can do what is asked, else the built-in source. */
export const MONGO_DUMP_TOOLS = ['auto', 'mongodump', 'builtin'] as const;
export type MongoDumpTool = (typeof MONGO_DUMP_TOOLS)[number];

/** What others need to know of MongoDB, as data. */
export const MONGO_TRAITS: EngineTraits = {
  defaultPort: 27_017,
  uriExample: 'mongodb://backup@db1.example.com:27017,db2.example.com:27017/shop?replicaSet=rs0&tls=true',
  connectionParameters: MONGO_PARAMETERS,
  supportsWholeServer: true,
  formats: ['archive'],
  defaultFormat: 'archive',
  itemWord: 'collection',
  supportsRoles: true,
  supportsContentHash: true,
  supportsSchemas: false,
  supportsItemChoice: true,
  dumpTools: MONGO_DUMP_TOOLS,
  supportsItemRestore: ['archive'],
  supportsParallelRestore: ['archive'],
  maxDatabaseNameBytes: 63,
  // The manual's "Naming Restrictions", those of Windows too: a backup may be restored there one day.
  databaseNameRule: {
    pattern: /^[^/\\. "$*<>:|?]+$/u,
    words: String.raw`cannot hold blanks or any of / \ . " $ * < > : | ? on a MongoDB server`,
  },
  renames: 'stepwise',
  showsLife: true,
};
