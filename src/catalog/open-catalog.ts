import { Catalog } from './catalog.js';
import { type CatalogLocation } from './catalog-location.js';
import { CatalogLock } from './catalog-lock.js';
import { type CatalogSchema, dataSourceOptions, openReader, openWriter } from './data-sources.js';

/** A catalog opened outside of Nest: tools and tests. */
export interface OpenCatalog {
  catalog: Catalog;
  close(): Promise<void>;
}

/** Opens a catalog as the service does: lock, writer, migrations, reader. Throws what each of them throws. */
export async function openCatalog(location: CatalogLocation, schema: CatalogSchema): Promise<OpenCatalog> {
  await using undo = new AsyncDisposableStack();
  const lock = undo.adopt(await CatalogLock.take(location), (held) => held.release());
  const options = dataSourceOptions(location, schema);
  const writer = undo.adopt(await openWriter(options), (source) => source.destroy());
  const reader = undo.adopt(await openReader(options), (source) => source.destroy());
  undo.move();
  const close = async (): Promise<void> => {
    await reader.destroy();
    await writer.destroy();
    await lock.release();
  };
  return { catalog: new Catalog(writer, reader), close };
}
