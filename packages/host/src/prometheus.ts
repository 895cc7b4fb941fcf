// Metrics as text for Prometheus and what understands it: exposition format 0.0.4,
// https://prometheus.io/docs/instrumenting/exposition_formats/

import type { MetricSample } from './node-metrics.ts';

/** The Content-Type to serve the text with. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Samples of one name stand together below their HELP and TYPE, as the format demands. */
export function formatPrometheus(samples: readonly MetricSample[]): string {
  const families = Map.groupBy(samples, (sample) => sample.name);
  const blocks = [...families].map(([name, family]) => {
    const { help, kind } = family[0]!;
    const lines = family.map((sample) => `${name}${formatLabels(sample)} ${formatValue(sample)}\n`);
    return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
  });
  return blocks.join('');
}

function formatLabels({ labels }: MetricSample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function formatValue({ value }: MetricSample): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(value: string): string {
  return escapeHelp(value).replaceAll('"', '\\"');
}
