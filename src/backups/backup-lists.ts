import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { toTimeText } from '../catalog/columns.js';
import { KeptReads } from '../catalog/kept-reads.js';
import { readCursor, toPage } from '../http/paging.js';
import { BackupQueries } from './backup-queries.js';
import { BackupViews } from './backup-views.js';
import { type BackupListDto, toBackupFilter } from './dto/backup-list.dto.js';

/** A page of the list of backups. */
export interface BackupsPage {
  /** How many backups the whole list has. */
  total: number;
  /** Leads to the next page; undefined on the last one. */
  nextCursor: string | undefined;
  /** Their views as JSON in UTF-8, with the progress of this moment. */
  json(): Buffer;
  /** Of the JSON; absent while one of them runs. */
  etag?: string;
}

/**
 * Pages of the list, which is asked for more than anything else: each page is read, counted and written as JSON once, until the
 * catalog changes. Only what runs is shown anew each time, as its progress is nowhere but in memory.
 */
@Injectable()
export class BackupLists {
  readonly #pages: KeptReads<BackupsPage>;

  constructor(
    catalog: Catalog,
    private readonly queries: BackupQueries,
    private readonly views: BackupViews,
  ) {
    this.#pages = new KeptReads(catalog);
  }

  /** Newest first. @throws InvalidCursorError */
  async page(query: BackupListDto): Promise<BackupsPage> {
    return this.#pages.of(JSON.stringify(query), () => this.#read(query));
  }

  async #read(query: BackupListDto): Promise<BackupsPage> {
    const filter = toBackupFilter(query);
    const [createdAt, id] = readCursor(query, 2) ?? [];
    const after = createdAt === undefined || id === undefined ? undefined : { createdAt, id };
    const found = await this.queries.page(filter, query.limit + 1, after);
    // What one page holds entirely is counted with it.
    const isAll = after === undefined && found.length <= query.limit;
    const total = isAll ? found.length : await this.queries.count(filter);
    const page = toPage(found, query, total, (backup) => [toTimeText(backup.createdAt), backup.id]);
    const show = await this.views.shownOf(page.rows);
    const json = (): Buffer => Buffer.from(JSON.stringify(show()), 'utf8');
    const { nextCursor } = page;
    if (page.rows.some(({ status }) => status === 'running')) return { total, nextCursor, json };
    const still = json();
    return { total, nextCursor, json: () => still, etag: etagOf(still) };
  }
}

/** Weak, as Express's own: what it says of two answers is that they mean the same. */
function etagOf(json: Buffer): string {
  return `W/"${json.length.toString(16)}-${createHash('sha256').update(json).digest('base64url')}"`;
}
