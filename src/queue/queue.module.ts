import { Global, Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { CatalogQueue } from './catalog-queue.js';
import { Queue } from './queue.js';
import { QueueLifecycle } from './queue-lifecycle.js';
import { TicketStore } from './ticket-store.js';
import { Ticket } from './ticket.entity.js';

/** Platform: work that survives a crash. */
@Global()
@Module({
  imports: [CatalogModule.forFeature([Ticket])],
  providers: [TicketStore, { provide: Queue, useClass: CatalogQueue }, QueueLifecycle],
  exports: [Queue],
})
export class QueueModule {}
