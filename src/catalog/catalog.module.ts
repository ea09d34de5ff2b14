import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { type DataSource, type DataSourceOptions } from 'typeorm';

import { Config } from '../config/config.js';
import { Catalog } from './catalog.js';
import { catalogLocation } from './catalog-location.js';
import { CatalogProbe } from './catalog-probe.js';
import { CatalogLock } from './catalog-lock.js';
import { dataSourceOptions, openReader, openWriter, READER, WRITER } from './data-sources.js';
import { MIGRATIONS } from './migrations/all.js';
import { Readiness } from './readiness.entity.js';

@Module({
  providers: [
    {
      provide: CatalogLock,
      useFactory: (config: Config) => CatalogLock.take(catalogLocation(config)),
      inject: [Config],
    },
  ],
  exports: [CatalogLock],
})
class CatalogLockModule implements OnApplicationShutdown {
  constructor(@Inject(CatalogLock) private readonly lock: CatalogLock) {}

  async onApplicationShutdown(): Promise<void> {
    await this.lock.release();
  }
}

/** The entities come from `forFeature` of the rooms; nothing is ever synchronised or tried again behind our back. */
function optionsOf(config: Config): TypeOrmModuleOptions {
  const options = dataSourceOptions(catalogLocation(config), { entities: [], migrations: MIGRATIONS });
  return { ...options, autoLoadEntities: true, toRetry: () => false };
}

function given(options: DataSourceOptions | undefined): DataSourceOptions {
  if (options === undefined) throw new Error('Nest gave no options for a connection of the catalog');
  return options;
}

/** Platform: the catalog, for every room. Opened in this order: lock, writer (with migrations), reader. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([Readiness], WRITER),
    TypeOrmModule.forFeature([Readiness], READER),
    TypeOrmModule.forRootAsync({
      name: WRITER,
      imports: [CatalogLockModule],
      inject: [Config, CatalogLock],
      useFactory: (config: Config) => optionsOf(config),
      dataSourceFactory: (options) => openWriter(given(options)),
    }),
    TypeOrmModule.forRootAsync({
      name: READER,
      inject: [Config, getDataSourceToken(WRITER)],
      useFactory: (config: Config, _writer: DataSource) => optionsOf(config),
      dataSourceFactory: (options) => openReader(given(options)),
    }),
  ],
  providers: [
    CatalogProbe,
    {
      provide: Catalog,
      useFactory: (writer: DataSource, reader: DataSource) => new Catalog(writer, reader),
      inject: [getDataSourceToken(WRITER), getDataSourceToken(READER)],
    },
  ],
  exports: [Catalog, CatalogProbe],
})
export class CatalogModule {
  /** Makes a room's entities known to both connections. The room reads and writes by {@link Catalog} alone. */
  static forFeature(entities: (new () => object)[]): DynamicModule {
    return {
      module: CatalogEntitiesModule,
      imports: [TypeOrmModule.forFeature(entities, WRITER), TypeOrmModule.forFeature(entities, READER)],
    };
  }
}

/** Its own class: were it CatalogModule, each `forFeature` would make another catalog with another queue of writes. */
@Module({})
class CatalogEntitiesModule {}
