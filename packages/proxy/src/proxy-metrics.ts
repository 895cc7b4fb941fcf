// The figures of a proxy.

import type { Counter, Gauge, Metrics } from '@skein/host';

export type Route = 'local' | 'forward' | 'replay' | 'refuse' | 'health';

export interface ProxyMetrics {
  readonly requests: Readonly<Record<Route, Counter>>;
  /** Requests that did not go the way of all requests. */
  readonly notExecuted: Counter;
  readonly unknown: Counter;
  readonly repeated: Counter;
  readonly waits: Counter;
  readonly waitsInVain: Counter;
  readonly waitSeconds: Counter;
  readonly waiting: Gauge;
  readonly upgrades: Gauge;
}

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const route = (name: Route): Counter =>
    metrics.counter('skein_proxy_requests_total', 'Requests, by where they went', { route: name });
  const outcome = (name: string): Counter =>
    metrics.counter('skein_proxy_failures_total', 'Requests without an answer of the app', {
      outcome: name,
    });
  return {
    requests: {
      local: route('local'),
      forward: route('forward'),
      replay: route('replay'),
      refuse: route('refuse'),
      health: route('health'),
    },
    notExecuted: outcome('not-executed'),
    unknown: outcome('unknown'),
    repeated: metrics.counter(
      'skein_proxy_repeated_total',
      'Reads that were sent again because a connection had broken',
    ),
    waits: metrics.counter(
      'skein_proxy_waits_total',
      'Requests that waited for a position or for a primary',
    ),
    waitsInVain: metrics.counter(
      'skein_proxy_waits_in_vain_total',
      'Requests that waited until there was no more time',
    ),
    waitSeconds: metrics.counter(
      'skein_proxy_wait_seconds_total',
      'Time that requests have waited for a position or for a primary',
    ),
    waiting: metrics.gauge('skein_proxy_waiting', 'Requests that wait now'),
    upgrades: metrics.gauge('skein_proxy_upgrades', 'Connections that became WebSockets or such'),
  };
}
