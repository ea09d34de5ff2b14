import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { Clock } from '../clock/clock.js';
import { DatabasesController } from '../databases/databases.controller.js';
import { NewDatabase } from '../databases/dto/new-database.dto.js';
import { RemovalQuery } from '../databases/dto/removal.query.dto.js';
import { InvalidRequestError } from '../http/http.errors.js';
import { IdParam } from '../http/id-param.decorator.js';
import { ApiIdempotencyKey } from '../http/idempotency-key.js';
import { PageQuery } from '../http/page.dto.js';
import { PagedResponse } from '../http/paging.js';
import { Problems } from '../http/problems.decorator.js';
import { fieldsOf } from '../http/view-fields.js';
import {
  ConnectionTestView,
  ConnectionView,
  olderNamesOf,
  RemovedConnectionView,
  SavedConnectionView,
  toSavedConnection,
} from './connection.view.js';
import { ConnectionChanges, ConnectionChangesBody, NewConnectionBody } from './dto/connection.dto.js';

/** `/databases` under its older path. */
@ApiTags('older paths')
@Controller('connections')
export class ConnectionsController {
  constructor(
    private readonly databases: DatabasesController,
    private readonly clock: Clock,
  ) {}

  /** `GET /databases`. */
  @Get()
  @PagedResponse(ConnectionView)
  @Problems('invalid-cursor')
  async list(
    @Query() query: PageQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConnectionView[]> {
    const views = await this.databases.list(query, response);
    return views.map((view) => ({ ...fieldsOf(view), ...olderNamesOf(view) }));
  }

  /** `GET /databases/{id}`. */
  @Get(':id')
  @IdParam('database')
  @Problems('database-not-found')
  async read(@Param('id') id: string): Promise<ConnectionView> {
    const view = await this.databases.read(id);
    return { ...fieldsOf(view), ...olderNamesOf(view) };
  }

  /** `POST /databases`. */
  @Post()
  @ApiIdempotencyKey()
  @ApiBody({ type: NewConnectionBody })
  @ApiCreatedResponse({ type: SavedConnectionView })
  @Problems(
    'engine-unknown',
    'connection-incomplete',
    'database-name-invalid',
    'database-name-taken',
    'idempotency-key-reused',
  )
  async register(
    @Body() body: NewDatabase,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SavedConnectionView> {
    return toSavedConnection(await this.databases.register(body, idempotencyKey, response));
  }

  /** `PATCH /databases/{id}`: what is left out stays, a password above all. */
  @Put(':id')
  @IdParam('database')
  @ApiBody({ type: ConnectionChangesBody })
  @Problems('database-not-found', 'database-name-invalid', 'database-name-taken')
  async replace(@Param('id') id: string, @Body() body: ConnectionChanges): Promise<SavedConnectionView> {
    return this.#change(id, body);
  }

  /** `PATCH /databases/{id}`. */
  @Patch(':id')
  @IdParam('database')
  @ApiBody({ type: ConnectionChangesBody })
  @Problems('database-not-found', 'database-name-invalid', 'database-name-taken')
  async update(@Param('id') id: string, @Body() body: ConnectionChanges): Promise<SavedConnectionView> {
    return this.#change(id, body);
  }

  /** `DELETE /databases/{id}`. */
  @Delete(':id')
  @IdParam('database')
  @HttpCode(HttpStatus.OK)
  @Problems('database-not-found', 'database-busy')
  async remove(@Param('id') id: string, @Query() query: RemovalQuery): Promise<RemovedConnectionView> {
    const { id: databaseId, name } = await this.databases.read(id);
    await this.databases.remove(databaseId, query);
    const backups = query.backups === 'keep' ? 'its backups are kept' : 'its backups are being deleted';
    return {
      status: 'success',
      message: `Connection removed: ${name}; ${backups}`,
      timestamp: this.clock.now().toISOString(),
      id: databaseId,
    };
  }

  /** `POST /databases/{id}/test`. */
  @Post(':id/test')
  @IdParam('database')
  @HttpCode(HttpStatus.OK)
  @Problems('database-not-found', 'authentication-failed', 'database-absent', 'server-unreachable')
  async test(
    @Param('id') id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConnectionTestView> {
    const { engine } = await this.databases.read(id);
    const probe = await this.databases.test(id, response);
    const { server_version: version } = probe;
    return {
      ...fieldsOf(probe),
      status: 'success',
      message: `Connection successful: ${engine} ${version}`,
      timestamp: this.clock.now().toISOString(),
      ...(engine === 'postgres' && { postgresql_version: version }),
    };
  }

  async #change(id: string, { engine, ...changes }: ConnectionChanges): Promise<SavedConnectionView> {
    const before = await this.databases.read(id);
    if (engine !== undefined && engine !== before.engine) {
      const detail = `cannot be changed from ${before.engine}: that would be another database`;
      throw new InvalidRequestError([{ pointer: '/type', detail }]);
    }
    return toSavedConnection(await this.databases.update(before.id, changes));
  }
}
