// The figures of the HTTP side.

import type { Counter, Gauge, Metrics } from '@skein/host';

export class LakeHttpMetrics {
  readonly working: Gauge;
  readonly waiting: Gauge;
  readonly #metrics: Metrics;
  readonly #requests = new Map<string, Counter>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.working = metrics.gauge('skein_lake_queries_running', 'Queries that run now');
    this.waiting = metrics.gauge('skein_lake_queries_waiting', 'Queries that wait for their turn');
  }

  /** `route` is one of a few: never what a client sent. */
  request(method: string, route: string, status: number): void {
    const key = `${method} ${route} ${status}`;
    let counter = this.#requests.get(key);
    if (counter === undefined) {
      const labels = { method, route, status: String(status) };
      counter = this.#metrics.counter(
        'skein_lake_requests_total',
        'Requests by method, route and status',
        labels,
      );
      this.#requests.set(key, counter);
    }
    counter.add(1);
  }
}
