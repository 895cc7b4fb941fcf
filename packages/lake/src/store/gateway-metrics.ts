// The figures of a gateway for monitoring, brought up to date when they are asked for.

import type { Metrics } from '@skein/host';

import type { Gateway, GatewayStats } from './gateway.ts';

type CounterName = Exclude<keyof GatewayStats, 'cachedBytes' | 'cachedBlocks'>;

const COUNTERS: readonly (readonly [CounterName, string, string])[] = [
  ['servedBytes', 'skein_lake_store_served_bytes_total', 'Bytes of objects that queries have read'],
  ['fetchedBytes', 'skein_lake_store_fetched_bytes_total', 'Bytes that the object store has sent'],
  ['hitCount', 'skein_lake_store_hits_total', 'Blocks of objects that the cache had'],
  ['missCount', 'skein_lake_store_misses_total', 'Blocks of objects that had to be fetched'],
  ['evictedCount', 'skein_lake_store_evicted_total', 'Blocks that made room for others'],
  ['damagedCount', 'skein_lake_store_damaged_total', 'Blocks that the disk has not kept'],
];

/** Returns what brings the figures up to date. */
export function gatewayFigures(gateway: Gateway, metrics: Metrics): () => void {
  const cached = metrics.gauge('skein_lake_store_cached_bytes', 'Bytes in the cache of objects');
  const counters = COUNTERS.map(([name, metric, help]) => {
    return { name, counter: metrics.counter(metric, help), counted: 0 };
  });
  return () => {
    const stats = gateway.stats();
    cached.set(stats.cachedBytes);
    for (const each of counters) {
      each.counter.add(stats[each.name] - each.counted);
      each.counted = stats[each.name];
    }
  };
}
