import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventLog, type NewEvent } from '../../src/events/event-log.ts';
import type { EventName } from '../../src/events/event-names.ts';
import { EventQueries } from '../../src/events/event-queries.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import type { CatalogKind } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';

export interface EventsUnderTest extends AsyncDisposable {
  catalog: Catalog;
  clock: ManualClock;
  log: EventLog;
  queries: EventQueries;
}

/** The room over a catalog of its own. */
export async function freshEvents(kind: CatalogKind): Promise<EventsUnderTest> {
  const place = await kind.fresh();
  const { catalog, close } = await openCatalog(place.location, {
    entities: [Database, EventCounter, EventTotal, RecordedEvent],
    migrations: MIGRATIONS,
  });
  const clock = new ManualClock();
  return {
    catalog,
    clock,
    log: new EventLog(catalog, clock),
    queries: new EventQueries(catalog, clock),
    [Symbol.asyncDispose]: async () => {
      await close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** An event of a backup of the database `shop`; `id` tells them apart. */
export function event(id: string, name: EventName = 'BackupQueued', more: Partial<NewEvent> = {}): NewEvent {
  return { name, subject: { kind: 'backup', id }, database: { id: 'd1', name: 'shop' }, ...more };
}
