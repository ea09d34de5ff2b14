import { Global, Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { EventCounter } from './event-counter.entity.js';
import { EventLog } from './event-log.js';
import { EventPruner } from './event-pruner.js';
import { EventQueries } from './event-queries.js';
import { EventStreams } from './event-streams.js';
import { EventTotal } from './event-total.entity.js';
import { EventsController } from './events.controller.js';
import { ProgressSources } from './progress-sources.js';
import { RecordedEvent } from './recorded-event.entity.js';

/** Platform: what happened, written with what happens, and told to whoever listens. */
@Global()
@Module({
  imports: [CatalogModule.forFeature([EventCounter, EventTotal, RecordedEvent])],
  controllers: [EventsController],
  providers: [EventLog, EventPruner, EventQueries, EventStreams, ProgressSources],
  exports: [EventLog, EventQueries, ProgressSources],
})
export class EventsModule {}
