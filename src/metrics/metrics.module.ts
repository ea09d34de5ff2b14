import { Module } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';

import { StorageModule } from '../storage/storage.module.js';
import { CatalogFactsReader } from './catalog-facts.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsRefresher } from './metrics-refresher.js';
import { ServiceMetrics } from './service-metrics.js';

@Module({
  imports: [StorageModule],
  providers: [CatalogFactsReader, MetricsRefresher, ServiceMetrics],
  exports: [MetricsRefresher],
})
class RefreshModule {}

/** Edge: `GET /metrics`. Options by a factory, so that the document of the API can be made without starting anything. */
@Module({
  imports: [
    PrometheusModule.registerAsync({
      imports: [RefreshModule],
      controller: MetricsController,
      useFactory: () => ({ path: '/metrics', controller: MetricsController }),
    }),
  ],
})
export class MetricsModule {}
