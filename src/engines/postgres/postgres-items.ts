import { TablesUnknownError } from '../tools.errors.js';
import type { ArchiveToc, TocEntry } from './archive-toc.js';
import { isTableKind } from './restore-plan.js';

/** Kinds of entries that are a part of a table: they come with it when all that they need comes too. */
const PARTS_OF_TABLES: ReadonlySet<string> = new Set([
  'TABLE DATA',
  'TABLE ATTACH',
  'DEFAULT',
  'SEQUENCE',
  'SEQUENCE OWNED BY',
  'SEQUENCE SET',
  'INDEX',
  'INDEX ATTACH',
  'CONSTRAINT',
  'CHECK CONSTRAINT',
  'FK CONSTRAINT',
  'TRIGGER',
  'RULE',
  'POLICY',
  'ROW SECURITY',
  'STATISTICS',
  'STATISTICS DATA',
  'COMMENT',
  'SECURITY LABEL',
  'ACL',
]);

export interface ChosenTables {
  /** Entries of the archive, in its order. */
  entries: TocEntry[];
  notes: string[];
  /** Tables that come with their rows, and those that come without, by full name. */
  items: string[];
  emptyItems: string[];
}

/**
 * Chooses from an archive the entries that restore some tables (`schema.table`): the tables with their data, columns' sequences
 * and defaults, indexes, constraints, triggers and rights; the partitions of a partitioned table; and the schemas, types,
 * functions and extensions that those need. A foreign key to a table that was not chosen is left out and noted. Throws
 * `tables-unknown`.
 */
export function chooseTables(toc: ArchiveToc, names: readonly string[]): ChosenTables {
  const selection = new Selection(toc);
  const unknown = names.filter((name) => !selection.addTable(name));
  if (unknown.length > 0) throw new TablesUnknownError(unknown, 'the archive');
  return selection.complete();
}

class Selection {
  readonly #toc: ArchiveToc;
  readonly #byId: ReadonlyMap<number, TocEntry>;
  readonly #dependants = new Map<number, TocEntry[]>();
  /** Tables that were asked for, with their partitions: these get their data and parts. */
  readonly #tables = new Set<number>();
  readonly #chosen = new Set<number>();
  readonly #notes: string[] = [];

  constructor(toc: ArchiveToc) {
    this.#toc = toc;
    this.#byId = new Map(toc.entries.map((entry) => [entry.dumpId, entry]));
    for (const entry of toc.entries) {
      for (const needed of entry.dependencies) {
        const others = this.#dependants.get(needed);
        if (others === undefined) this.#dependants.set(needed, [entry]);
        else others.push(entry);
      }
    }
  }

  addTable(name: string): boolean {
    const table = this.#toc.entries.find(
      ({ kind, schema, tag }) => isTableKind(kind) && `${schema}.${tag}` === name,
    );
    if (table === undefined) return false;
    this.#addWithPartitions(table);
    return true;
  }

  complete(): ChosenTables {
    for (const table of this.#tables) this.#addWithNeeds(table);
    for (const table of this.#tables) this.#addParts(table);
    const schemas = new Set([...this.#chosen].map((id) => this.#byId.get(id)?.schema));
    const entries = this.#toc.entries.filter(
      ({ dumpId, kind, tag }) => this.#chosen.has(dumpId) || (kind === 'SCHEMA' && schemas.has(tag)),
    );
    const items = entries.filter(({ kind }) => kind === 'TABLE DATA').map(nameOf);
    const emptyItems = entries
      .filter(({ kind, dumpId }) => kind === 'TABLE' && !this.#tables.has(dumpId))
      .map(nameOf)
      .filter((name) => this.#hasRows(name));
    const notes = emptyItems.map(
      (name) => `the table ${name} is restored without rows: others need its definition`,
    );
    return { entries, notes: [...this.#notes, ...notes], items: items.sort(), emptyItems: emptyItems.sort() };
  }

  #addWithPartitions(table: TocEntry): void {
    if (this.#tables.has(table.dumpId)) return;
    this.#tables.add(table.dumpId);
    for (const attach of this.#dependants.get(table.dumpId) ?? []) {
      if (attach.kind !== 'TABLE ATTACH') continue;
      const tables = attach.dependencies
        .map((id) => this.#byId.get(id))
        .filter((entry) => entry !== undefined);
      // An attachment depends on parent and partition; it names the partition.
      const partition = tables.find(
        ({ kind, schema, tag }) => isTableKind(kind) && schema === attach.schema && tag === attach.tag,
      );
      if (partition !== undefined && partition !== table) this.#addWithPartitions(partition);
    }
  }

  #addWithNeeds(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined || this.#chosen.has(id)) return;
    this.#chosen.add(id);
    for (const needed of entry.dependencies) this.#addWithNeeds(needed);
  }

  #addParts(id: number): void {
    for (const part of this.#dependants.get(id) ?? []) {
      if (!PARTS_OF_TABLES.has(part.kind) || this.#chosen.has(part.dumpId)) continue;
      const foreign = this.#foreignTablesOf(part);
      if (foreign.length > 0) {
        if (part.kind === 'FK CONSTRAINT' && this.#ownsForeignKey(id, part)) {
          this.#notes.push(`the foreign key ${part.tag} is left out: ${foreign.join(', ')} was not chosen`);
        }
        continue;
      }
      this.#addWithNeeds(part.dumpId);
      this.#addParts(part.dumpId);
    }
  }

  /** A foreign key depends on both of its tables; it is a part of the one that its tag begins with. */
  #ownsForeignKey(id: number, key: TocEntry): boolean {
    const table = this.#byId.get(id);
    return table !== undefined && table.schema === key.schema && key.tag.startsWith(`${table.tag} `);
  }

  /** Tables that a part needs and that were not chosen. */
  #foreignTablesOf(part: TocEntry): string[] {
    return part.dependencies
      .map((id) => this.#byId.get(id))
      .filter((entry) => entry !== undefined)
      .filter(
        (entry) =>
          isTableKind(entry.kind) && !this.#tables.has(entry.dumpId) && !this.#chosen.has(entry.dumpId),
      )
      .map(({ schema, tag }) => `${schema}.${tag}`);
  }

  /** The parent of partitions has none of its own. */
  #hasRows(name: string): boolean {
    return this.#toc.entries.some((entry) => entry.kind === 'TABLE DATA' && nameOf(entry) === name);
  }
}

function nameOf({ schema, tag }: TocEntry): string {
  return `${schema}.${tag}`;
}
