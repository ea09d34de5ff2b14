import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { clientSignal } from '../http/client-signal.js';
import { IdParam } from '../http/id-param.decorator.js';
import { ApiIdempotencyKey, checkedKey } from '../http/idempotency-key.js';
import { PageQuery } from '../http/page.dto.js';
import { answerPage, PagedResponse, readCursor, toPage } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { ConnectionOpener } from './connection-opener.js';
import { DatabaseProbe } from './database-probe.js';
import type { Database } from './database.entity.js';
import { DefaultSchedules } from './default-schedules.js';
import { DatabasesService } from './databases.service.js';
import { DatabaseChanges, toDatabaseUpdate } from './dto/database-changes.dto.js';
import { DatabaseView, SavedDatabaseView, toDatabaseView, toSavedDatabaseView } from './dto/database.view.js';
import { NewDatabase, toDatabaseRequest } from './dto/new-database.dto.js';
import { ProbeView, toProbeView } from './dto/probe.view.js';
import { RemovalQuery } from './dto/removal.query.dto.js';

/** Problems of a registration's fields, the same for a new one and for a changed one. */
const FIELD_PROBLEMS = [
  'database-name-invalid',
  'host-invalid',
  'port-invalid',
  'remote-name-invalid',
  'credentials-invalid',
  'credentials-ambiguous',
  'connection-ambiguous',
  'uri-invalid',
  'uri-parameter-unknown',
  'tls-invalid',
  'options-invalid',
  'database-name-taken',
  'schedule-invalid',
  'schedule-ambiguous',
  'schedule-incomplete',
  'retention-invalid',
] as const;

/** Why a connection cannot even be tried. */
const OPENING_PROBLEMS = [
  'variable-missing',
  'variable-unreadable',
  'variable-reserved',
  'secret-key-mismatch',
  'secret-damaged',
] as const;

/** Why a server, or our side of the connection, refuses. */
const CONNECTION_PROBLEMS = [
  'authentication-failed',
  'database-absent',
  'permission-denied',
  'tls-failed',
  'tool-missing',
  'tool-too-old',
  'server-unreachable',
  'connection-lost',
  'too-many-connections',
  'server-timeout',
  'probe-timed-out',
] as const;

@ApiTags('databases')
@Controller('databases')
export class DatabasesController {
  constructor(
    private readonly databases: DatabasesService,
    private readonly probe: DatabaseProbe,
    private readonly connections: ConnectionOpener,
    private readonly schedules: DefaultSchedules,
  ) {}

  /** The registered databases, in order of their names. Passwords are never shown. */
  @Get()
  @PagedResponse(DatabaseView)
  @Problems('invalid-cursor')
  async list(
    @Query() query: PageQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DatabaseView[]> {
    const after = readCursor(query, 1)?.[0];
    const { rows, total } = await this.databases.list({ take: query.limit + 1, after });
    const schedules = await this.schedules.of(rows);
    return answerPage(
      response,
      toPage(rows, query, total, (row) => [row.name]),
      (row) => toDatabaseView(row, schedules.get(row.id)),
    );
  }

  /** One of them, by its id or its name. */
  @Get(':id')
  @IdParam('database')
  @Problems('database-not-found')
  async read(@Param('id') id: string): Promise<DatabaseView> {
    const database = await this.databases.get(id);
    const schedules = await this.schedules.of([database]);
    return toDatabaseView(database, schedules.get(database.id));
  }

  /** Registers a database. Its server is not asked yet: `POST /databases/{id}/test` does that. */
  @Post()
  @ApiIdempotencyKey()
  @ApiCreatedResponse({
    type: SavedDatabaseView,
    headers: { Location: { description: 'Path of the new record.', schema: { type: 'string' } } },
  })
  @Problems('engine-unknown', 'connection-incomplete', 'idempotency-key-reused', ...FIELD_PROBLEMS)
  async register(
    @Body() body: NewDatabase,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SavedDatabaseView> {
    const database = await this.databases.register(toDatabaseRequest(body), checkedKey(idempotencyKey));
    response.location(`/databases/${database.id}`);
    return this.#toSavedView(database);
  }

  /** Changes what is given and leaves the rest. Backups that run keep what they began with. */
  @Patch(':id')
  @IdParam('database')
  @Problems('database-not-found', 'password-needed', ...FIELD_PROBLEMS)
  async update(@Param('id') id: string, @Body() body: DatabaseChanges): Promise<SavedDatabaseView> {
    return this.#toSavedView(await this.databases.update(id, toDatabaseUpdate(body)));
  }

  /** Removes the registration; the database itself is not touched. Its backups are kept unless told otherwise. */
  @Delete(':id')
  @IdParam('database')
  @HttpCode(204)
  @Problems('database-not-found', 'database-busy')
  async remove(@Param('id') id: string, @Query() query: RemovalQuery): Promise<void> {
    await this.databases.remove(id, query.backups);
  }

  /** Connects as a backup would, and says what it would meet. A connection that fails is answered with its problem. */
  @Post(':id/test')
  @IdParam('database')
  @HttpCode(200)
  @Problems('database-not-found', ...OPENING_PROBLEMS, ...CONNECTION_PROBLEMS)
  async test(@Param('id') id: string, @Res({ passthrough: true }) response: Response): Promise<ProbeView> {
    return toProbeView(await this.probe.probe(id, clientSignal(response)));
  }

  async #toSavedView(database: Database): Promise<SavedDatabaseView> {
    const schedules = await this.schedules.of([database]);
    return toSavedDatabaseView(database, this.connections.foresee(database), schedules.get(database.id));
  }
}
