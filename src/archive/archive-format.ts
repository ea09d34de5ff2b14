import type { Compression } from './manifest.js';
import { COMPRESSION_SUFFIXES } from './compression.js';

/**
 * # What lies in a destination
 *
 * One folder per registered database, and in it for each backup two or three objects that share a beginning:
 *
 *     shop/backup_shop_20261121_031500.dump.zst                  the data
 *     shop/backup_shop_20261121_031500.roles.sql.zst             the server's roles, when they were asked for
 *     shop/backup_shop_20261121_031500.dump.zst.manifest.json    the manifest, written last
 *
 * The name says the registered database, the moment at which the attempt began (UTC), the form of the plain file (`dump`: pg_dump's custom
 * format; `sql`: statements; `archive`: mongodump's) and the compression (`.zst`, `.gz`, or nothing). When two attempts
 * for a database begin within one second, the later one has `_2` behind the time. The names are for people: Backstop itself
 * reads them from its catalog or from the manifest, and never takes a name apart.
 *
 * Invariants:
 *
 * - **A1** An archive without a manifest is not a backup: the attempt died before it was whole.
 * - **A2** The manifest names its parts by file name, without folders. Parts lie beside it: the folder can be moved.
 * - **A3** A part is one complete frame of its compression, and nothing else: no header or trailer of ours.
 * - **A4** The manifest tells size and SHA-256 of each part, stored and plain.
 * - **A5** No object is ever written twice or changed.
 *
 * # Restoring without Backstop
 *
 *     sha256sum backup_shop_20261121_031500.dump.zst           # compare with parts[0].stored.sha256 in the manifest
 *     zstd -d backup_shop_20261121_031500.dump.zst             # or: gunzip
 *     createdb shop_again
 *     pg_restore --no-owner -d shop_again backup_shop_20261121_031500.dump
 *
 * A `.sql` file goes to `psql -v ON_ERROR_STOP=1 -f`, an `.archive` to `mongorestore --archive=`; a `.roles.sql` file goes to
 * `psql` first, when the owners are to be kept.
 */
export interface ArchiveNames {
  /** Keys in the destination. */
  dataKey: string;
  rolesKey: string;
  manifestKey: string;
  /** The last segments of the keys, as the manifest and the API name them. */
  dataFilename: string;
  rolesFilename: string;
}

export interface ArchiveNaming {
  /** The name under which the database is registered. */
  databaseName: string;
  /** When the attempt began. */
  at: Date;
  /** Of the plain stream, without a dot: `dump`, `sql`, `archive`. */
  extension: string;
  compression: Compression;
  /** 1 unless the names with a smaller number are taken. */
  sequence: number;
}

/** The names of everything that one attempt may store. */
export function archiveNames(naming: ArchiveNaming): ArchiveNames {
  const { databaseName, at, extension, compression, sequence } = naming;
  const turn = sequence > 1 ? `_${sequence}` : '';
  const base = `backup_${databaseName}_${timeInName(at)}${turn}`;
  const suffix = COMPRESSION_SUFFIXES[compression];
  const dataFilename = `${base}.${extension}${suffix}`;
  const rolesFilename = `${base}.roles.sql${suffix}`;
  return {
    dataKey: `${databaseName}/${dataFilename}`,
    rolesKey: `${databaseName}/${rolesFilename}`,
    manifestKey: `${databaseName}/${dataFilename}.manifest.json`,
    dataFilename,
    rolesFilename,
  };
}

/** The key of an object that lies beside another one (A2): of a part, given the manifest's. */
export function keyBeside(key: string, filename: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1) + filename;
}

/** `20261121_031500`, in UTC: the order of the names is the order in time, also when clocks are put back in autumn. */
function timeInName(at: Date): string {
  const [day = '', time = ''] = at.toISOString().split('T');
  return `${day.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}
