// Figures for monitoring. A figure is created once, when a part is made, and then only counted up
// or set: no lookup by name and no allocation on the hot path.

export interface Counter {
  add(amount: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export type MetricLabels = Readonly<Record<string, string>>;

export interface Metrics {
  /** A number that only grows. `name` follows Prometheus: `skein_log_appended_bytes_total`. */
  counter(name: string, help: string, labels?: MetricLabels): Counter;
  /** A number that goes up and down. */
  gauge(name: string, help: string, labels?: MetricLabels): Gauge;
}
