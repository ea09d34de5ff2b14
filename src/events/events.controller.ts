import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { Clock } from '../clock/clock.js';
import { clientSignal } from '../http/client-signal.js';
import { ClientGoneError, InvalidRequestError } from '../http/http.errors.js';
import { EventFilterDto } from './dto/event-filter.dto.js';
import { EventStreams } from './event-streams.js';
import { EventView, ProgressEventView } from './event.view.js';
import { SseWriter } from './sse-writer.js';

const EXAMPLE = `event: BackupCompleted
id: 4711
data: {"number":4711,"name":"BackupCompleted","at":"2026-11-21T03:00:41.200Z","subject_kind":"backup",…}

`;

/** What happens, while it happens. */
@ApiTags('events')
@Controller('events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly clock: Clock,
  ) {}

  /**
   * Tells of state changes and progress as server-sent events, until the client goes or the service stops.
   *
   * @remarks Every change is an entry with its number as `id` and an `EventView` as `data`; a client that comes back with
   * `Last-Event-ID` misses nothing that is not older than `EVENT_KEEP_DAYS`, and is told by `EventsMissed` when it does. Running
   * work is told of by `Progress` entries (`ProgressEventView`) once a second, without `id`.
   */
  @Get()
  @ApiExtraModels(EventView, ProgressEventView)
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Number of the last event that was seen.',
  })
  @ApiOkResponse({
    description: 'The stream.',
    content: { 'text/event-stream': { schema: { type: 'string', example: EXAMPLE } } },
  })
  async listen(
    @Query() query: EventFilterDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const listening = {
      filter: { database: query.database_id, subjectId: query.subject_id, names: query.name },
      after: readNumber(lastEventId) ?? query.after,
      progress: query.progress,
    };
    const gone = clientSignal(response);
    try {
      await this.streams.tell(listening, new SseWriter(response, this.clock, gone), gone);
    } catch (error) {
      // Going away is how a listener ends.
      if (!(error instanceof ClientGoneError)) throw error;
    }
  }
}

function readNumber(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidRequestError([{ pointer: '/Last-Event-ID', detail: 'must be the number of an event' }]);
}
