import { ExtensionsMissingError } from './postgres.errors.js';
import type { ArchiveToc, TocEntry } from './archive-toc.js';

/** What a plan must know about the server that an archive is restored to. */
export interface RestoreTarget {
  major: number;
  isSuperuser: boolean;
  /** Who restores. */
  user: string;
  /** Roles that exist, and those that the user may give objects to and still work with them. */
  roles: ReadonlySet<string>;
  assignableRoles: ReadonlySet<string>;
  /** Roles that may create in the schema `public`; since PostgreSQL 15 few may. */
  publicCreators: ReadonlySet<string>;
  schemas: ReadonlySet<string>;
  tablespaces: ReadonlySet<string>;
  extensions: ReadonlySet<string>;
  /** How many objects one transaction can lock at most, when nobody else locks any. */
  lockLimit: number;
}

export interface RestorePlan {
  /** Entries to restore, in the archive's order. */
  entries: readonly TocEntry[];
  /** True when `entries` is everything, so that no list is needed. */
  isComplete: boolean;
  noOwner: boolean;
  noTablespaces: boolean;
  /** Whether everything fits into one transaction. */
  isAtomic: boolean;
  /** What is left out, in sentences. */
  notes: string[];
}

/**
 * Decides what of an archive can be restored to a server, before anything is touched: what would only fail because of where
 * it goes (owners that are not there, a schema that every database has) is left out by name and told; what is needed and
 * cannot be had is refused. `entries` may be fewer than the archive's, when only some tables are wanted.
 */
export function planRestore(
  toc: ArchiveToc,
  target: RestoreTarget,
  entries: readonly TocEntry[] = toc.entries,
): RestorePlan {
  mustOfferExtensions(entries, target);
  const notes: string[] = [];
  const noOwner = decideOwners(entries, target, notes);
  const noTablespaces = decideTablespaces(entries, target, notes);
  const kept = entries.filter((entry) => isRestorable(entry, target, toc, notes));
  const isAtomic = decideAtomic(kept, target, notes);
  const isComplete = kept.length === toc.entries.length;
  return { entries: kept, isComplete, noOwner, noTablespaces, isAtomic, notes };
}

function mustOfferExtensions(entries: readonly TocEntry[], target: RestoreTarget): void {
  const missing = entries.filter(({ kind, tag }) => kind === 'EXTENSION' && !target.extensions.has(tag));
  if (missing.length > 0) throw new ExtensionsMissingError(missing.map(({ tag }) => tag));
}

function decideOwners(entries: readonly TocEntry[], target: RestoreTarget, notes: string[]): boolean {
  const owned = entries.filter((entry) => !isThere(entry, target));
  const owners = [...new Set(owned.map(({ owner }) => owner))].filter((owner) => owner !== '').sort();
  const absent = owners.filter((owner) => !target.roles.has(owner));
  const refused = owners.filter((owner) => target.roles.has(owner) && !target.assignableRoles.has(owner));
  if (absent.length > 0) {
    notes.push(
      `owners are not restored: the server has no role ${quoted(absent)}; everything belongs to the restoring user`,
    );
  } else if (refused.length > 0) {
    notes.push(
      `owners are not restored: the restoring user is no member of ${quoted(refused)}; everything belongs to the restoring user`,
    );
  }
  if (absent.length + refused.length > 0) return true;
  const strangers = target.isSuperuser ? [] : strangersIn(owned, target);
  if (strangers.length > 0) {
    notes.push(
      `owners are not restored: ${strangers.join(', ')}, and only a superuser may give things there to such a role; ` +
        'everything belongs to the restoring user',
    );
  }
  return strangers.length > 0;
}

/** What every new database has, and the database itself: neither is made by the restore, so neither is given to anybody. */
function isThere({ kind, tag }: TocEntry, target: RestoreTarget): boolean {
  return kind === 'DATABASE' || (kind === 'SCHEMA' && target.schemas.has(tag));
}

/** `ALTER … OWNER TO` asks whether the new owner may create in the schema. Rights on it are restored later than owners. */
function strangersIn(entries: readonly TocEntry[], target: RestoreTarget): string[] {
  const schemaOwners = new Map(
    entries.filter(({ kind }) => kind === 'SCHEMA').map(({ tag, owner }) => [tag, owner]),
  );
  const mayCreate = ({ schema, owner }: TocEntry): boolean =>
    schemaOwners.get(schema) === owner || (schema === 'public' && target.publicCreators.has(owner));
  const strangers = entries
    .filter(({ schema, owner }) => schema !== '' && owner !== '' && owner !== target.user)
    .filter((entry) => !mayCreate(entry))
    .map(({ schema, owner }) => `"${owner}" may not create in the schema "${schema}"`);
  return [...new Set(strangers)].sort();
}

function decideTablespaces(entries: readonly TocEntry[], target: RestoreTarget, notes: string[]): boolean {
  const used = [...new Set(entries.map(({ tablespace }) => tablespace))].filter((name) => name !== '');
  const absent = used.filter((name) => !target.tablespaces.has(name)).sort();
  if (absent.length === 0) return false;
  notes.push(`tablespaces are not restored: the server has no tablespace ${quoted(absent)}`);
  return true;
}

/** Share of the server's lock table that one restore may fill; others lock things, too. */
const LOCK_SHARE = 0.7;

/**
 * A transaction holds a lock on everything that it makes, and the server's table of locks has a fixed size
 * (`max_locks_per_transaction` times `max_connections`). A table comes with its TOAST table and that one's index.
 */
function decideAtomic(entries: readonly TocEntry[], target: RestoreTarget, notes: string[]): boolean {
  const locks = entries.reduce((sum, { kind, definition }) => {
    if (isTableKind(kind)) return sum + 3;
    if (kind === 'BLOB METADATA') return sum + definition.split('\n').length;
    return sum + 1;
  }, 0);
  if (locks <= target.lockLimit * LOCK_SHARE) return true;
  notes.push(
    `restored in many transactions: about ${locks} objects are more than the server can lock in one (${target.lockLimit})`,
  );
  return false;
}

/** The named allow-list of what may be left out of a restore. Each rule says why nothing is lost by it. */
function isRestorable(entry: TocEntry, target: RestoreTarget, toc: ArchiveToc, notes: string[]): boolean {
  if (entry.kind === 'SCHEMA' && target.schemas.has(entry.tag)) {
    // Every new database has "public". Another schema that is there already serves as well.
    if (entry.tag !== 'public') notes.push(`the schema "${entry.tag}" is there already`);
    return false;
  }
  if (entry.kind === 'COMMENT' && /^(EXTENSION|SCHEMA public)\b/.test(entry.tag) && !target.isSuperuser) {
    notes.push(`the comment on ${entry.tag.toLowerCase()} is left out: only its owner may write it`);
    return false;
  }
  if (entry.kind === 'ACL' || entry.kind === 'DEFAULT ACL') {
    const absent = rolesOfRights(entry.definition).filter((role) => !target.roles.has(role));
    if (absent.length === 0) return true;
    notes.push(`rights on ${entry.tag} are left out: the server has no role ${quoted(absent)}`);
    return false;
  }
  if (entry.kind === 'FK CONSTRAINT') {
    const table = referencedTable(entry.definition);
    if (table === undefined || hasTable(toc, table)) return true;
    notes.push(`the foreign key ${entry.tag} is left out: the archive has no table ${table}`);
    return false;
  }
  return true;
}

function hasTable(toc: ArchiveToc, fullName: string): boolean {
  return toc.entries.some(({ kind, schema, tag }) => isTableKind(kind) && `${schema}.${tag}` === fullName);
}

/** Kinds of entries that stand for a table itself. */
export function isTableKind(kind: string): boolean {
  return kind === 'TABLE' || kind === 'FOREIGN TABLE';
}

const NAME = String.raw`("(?:[^"]|"")+"|[\w$\u0080-\uffff]+)`;
const RIGHTS = new RegExp(String.raw`(?: TO| FROM| FOR ROLE|SET SESSION AUTHORIZATION) ${NAME}`, 'g');
const REFERENCES = new RegExp(String.raw` REFERENCES (?:ONLY )?${NAME}\.${NAME}\(`);

/** Roles that GRANT, REVOKE and ALTER DEFAULT PRIVILEGES statements name. Written by pg_dump, so of one form. */
export function rolesOfRights(definition: string): string[] {
  const roles = new Set<string>();
  for (const line of definition.split('\n')) {
    for (const [, name] of line.matchAll(RIGHTS)) {
      if (name !== undefined && name !== 'PUBLIC') roles.add(unquote(name));
    }
  }
  return [...roles].sort();
}

/** `schema.table` that a foreign key points to. */
export function referencedTable(definition: string): string | undefined {
  const [, schema, table] = REFERENCES.exec(definition) ?? [];
  return schema === undefined || table === undefined ? undefined : `${unquote(schema)}.${unquote(table)}`;
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
