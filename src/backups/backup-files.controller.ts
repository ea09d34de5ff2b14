import { pipeline } from 'node:stream/promises';

import { Controller, Get, Header, Logger, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';

import { HeldTail } from '../archive/held-tail.js';
import { clientSignal } from '../http/client-signal.js';
import { IdParam } from '../http/id-param.decorator.js';
import { Problems } from '../http/problems.decorator.js';
import { BackupDownloads } from './backup-downloads.js';
import { RunningBackups } from './backup-progress.js';
import { BackupQueries } from './backup-queries.js';
import { BackupContentsView, toContentsView } from './contents.view.js';
import { CopyFaults } from './copy-faults.js';
import { DownloadDto } from './dto/download.dto.js';
import { StoredManifests } from './stored-manifest.js';

/** What lies in a backup: its contents, manifest, log and bytes. */
@ApiTags('backups')
@IdParam('backup')
@Controller('backups/:id')
export class BackupFilesController {
  readonly #log = new Logger('Download');

  constructor(
    private readonly queries: BackupQueries,
    private readonly manifests: StoredManifests,
    private readonly running: RunningBackups,
    private readonly downloads: BackupDownloads,
    private readonly faults: CopyFaults,
  ) {}

  /** Lists the tables or collections in a backup, with their exact rows at the moment of the dump. */
  @Get('contents')
  @Problems('backup-not-found', 'backup-not-in-state', 'manifest-changed')
  async contents(@Param('id') id: string): Promise<BackupContentsView> {
    const { manifest } = await this.manifests.open(await this.queries.get(id));
    return toContentsView(manifest);
  }

  /** Gives the manifest exactly as it lies beside the archive. */
  @Get('manifest')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOkResponse({ description: 'See the chapter on manifests in the docs.', schema: { type: 'object' } })
  @Problems('backup-not-found', 'backup-not-in-state', 'manifest-changed')
  async manifest(@Param('id') id: string): Promise<string> {
    const { text } = await this.manifests.open(await this.queries.get(id));
    return text;
  }

  /** Gives what the tools printed during all attempts; scrubbed of secrets, and bounded in the middle. */
  @Get('log')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  @Problems('backup-not-found')
  async log(@Param('id') id: string): Promise<string> {
    const backup = await this.queries.get(id);
    const saved = (await this.queries.logsOf(backup.id)).map(
      ({ attempt, text }) => `== attempt ${attempt}\n${text}`,
    );
    const live = this.running.of(backup.id)?.log.toString() ?? '';
    return [...saved, live === '' ? '' : `== now\n${live}`].join('');
  }

  /**
   * Downloads the archive as stored, or with `plain=true` decompressed.
   *
   * @remarks The bytes are checked against the manifest on the way: when they differ, the connection is cut before the last ones, so
   * that no client takes a damaged file for a whole one.
   */
  @Get('download')
  @ApiProduces('application/octet-stream')
  @ApiHeader({
    name: 'Range',
    required: false,
    description: 'One range of bytes, of the stored archive only.',
  })
  @ApiOkResponse({ description: 'The whole archive.', schema: { type: 'string', format: 'binary' } })
  @ApiResponse({
    status: 206,
    description: 'The range asked for.',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiResponse({ status: 304, description: 'Unchanged since the given ETag.' })
  @Problems(
    'backup-not-found',
    'backup-not-in-state',
    'manifest-changed',
    'range-not-satisfiable',
    'part-not-found',
  )
  async download(
    @Param('id') id: string,
    @Query() query: DownloadDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const set = await this.manifests.open(await this.queries.get(id));
    // Ranges are for GET (RFC 9110, 14.2).
    const headers = request.method === 'HEAD' ? { ...request.headers, range: undefined } : request.headers;
    const open = () => this.downloads.open(set, query, headers, clientSignal(response));
    const answer = await this.faults.watch(set.copy, open);
    response.status(answer.status).set(answer.headers);
    if (answer.bytes === undefined || request.method === 'HEAD') {
      answer.bytes?.destroy();
      response.end();
      return;
    }
    try {
      await pipeline(answer.bytes, new HeldTail(), response);
      if (answer.readsAll) await this.faults.clear(set.copy);
    } catch (error) {
      await this.faults.note(set.copy, error);
      // The head is sent: all that is left is to cut the connection, which pipeline() has done.
      this.#log.warn({ err: error, backupId: set.manifest.backup_id }, 'a download was cut');
    }
  }
}
