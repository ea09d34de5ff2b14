import { Gauge, type MetricValueWithName } from 'prom-client';

import { DURATION_BOUNDS, type EventTotal } from '../events/event-total.entity.js';

/**
 * A histogram of durations that the catalog has counted; prom-client's own can only count by itself, since the process began.
 * To prom-client it is a gauge, the plainest of its metrics, that calls itself a histogram and gives a histogram's series.
 */
export class StoredHistogram extends Gauge {
  #totals: readonly EventTotal[] | undefined;

  constructor(
    private readonly metric: string,
    help: string,
  ) {
    super({ name: metric, help });
    Object.assign(this, { type: 'histogram' });
  }

  /** Shows the sum of these totals from now on; undefined: nothing, as they could not be read. */
  show(totals: readonly EventTotal[] | undefined): void {
    this.#totals = totals;
  }

  override async get(): ReturnType<Gauge['get']> {
    return { ...(await super.get()), values: this.#totals ? this.#series(this.#totals) : [] };
  }

  #series(totals: readonly EventTotal[]): MetricValueWithName<string>[] {
    const count = sum(totals.map((total) => total.count));
    const seconds = sum(totals.map(({ durationMs }) => durationMs)) / 1000;
    const series = (suffix: string, value: number, labels = {}): MetricValueWithName<string> => ({
      metricName: `${this.metric}_${suffix}`,
      labels,
      value,
    });
    let below = 0;
    const buckets = DURATION_BOUNDS.map((le, index) => {
      below += sum(totals.map(({ durationBuckets }) => durationBuckets[index] ?? 0));
      return series('bucket', below, { le });
    });
    return [
      ...buckets,
      series('bucket', count, { le: '+Inf' }),
      series('sum', seconds),
      series('count', count),
    ];
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
