// Metrics as numbers in shared memory: the thread that counts never answers anybody, and any other
// thread that was given the buffer reads the figures when it likes.
//
// One thread writes, any number read. Layout of the buffer (only ever within one process, so free
// to change):
//   0       int32    how many figures there are
//   4       int32    how many bytes of descriptions there are
//   8       float64  the values, one a figure
//   then    bytes    the descriptions, each a line of JSON, in the order of the figures
// A figure is described before the count includes it, and never goes away.

import { assert } from '@skein/bytes';

import type { Counter, Gauge, MetricLabels, Metrics } from './metrics.ts';

export type MetricKind = 'counter' | 'gauge';

export interface MetricFamily {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
}

export interface MetricSample extends MetricFamily {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Room for a thousand databases with a dozen figures each. */
const FIGURE_COUNT_MAX = 16_384;
const DESCRIPTION_BYTES_MAX = 4 * 1024 * 1024;

const VALUES_OFFSET = 8;
const DESCRIPTIONS_OFFSET = VALUES_OFFSET + FIGURE_COUNT_MAX * 8;
const BUFFER_BYTES = DESCRIPTIONS_OFFSET + DESCRIPTION_BYTES_MAX;

/** Counts the figures that found no room, so that their absence shows. */
const DROPPED: MetricFamily = {
  name: 'skein_metrics_dropped_total',
  kind: 'counter',
  help: 'Figures that are not shown because there are too many',
};

export class NodeMetrics implements Metrics {
  /** For `readMetrics`, in any thread. */
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(BUFFER_BYTES);
  readonly #view = viewOf(this.buffer);
  readonly #families = new Map<string, MetricFamily>();
  readonly #indexes = new Map<string, number>();
  readonly #dropped: Counter;

  constructor() {
    this.#dropped = this.counter(DROPPED.name, DROPPED.help);
  }

  counter(name: string, help: string, labels: MetricLabels = {}): Counter {
    const { values } = this.#view;
    const index = this.#register({ name, kind: 'counter', help }, labels);
    return {
      add: (amount) => {
        assert(amount >= 0, 'A counter only grows');
        if (index !== undefined) values[index]! += amount;
      },
    };
  }

  gauge(name: string, help: string, labels: MetricLabels = {}): Gauge {
    const { values } = this.#view;
    const index = this.#register({ name, kind: 'gauge', help }, labels);
    return {
      set: (value) => {
        if (index !== undefined) values[index] = value;
      },
    };
  }

  /** The figure's place; the same for the same name and labels, undefined if there is no room. */
  #register(family: MetricFamily, labels: MetricLabels): number | undefined {
    checkFamily(family, this.#families.get(family.name));
    const sorted = sortLabels(labels);
    const key = `${family.name}{${JSON.stringify(sorted)}}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#families.set(family.name, family);
    const index = this.#describe({ ...family, labels: sorted });
    if (index === undefined) this.#dropped.add(1);
    else this.#indexes.set(key, index);
    return index;
  }

  #describe(description: MetricFamily & { readonly labels: MetricLabels }): number | undefined {
    const { counts, descriptions } = this.#view;
    const line = Buffer.from(`${JSON.stringify(description)}\n`);
    const [figureCount = 0, usedBytes = 0] = counts;
    const hasRoom =
      figureCount < FIGURE_COUNT_MAX && usedBytes + line.length <= DESCRIPTION_BYTES_MAX;
    if (!hasRoom) return undefined;
    descriptions.set(line, usedBytes);
    // Readers look at the counts first, and these say nothing before the bytes are there.
    Atomics.store(counts, 1, usedBytes + line.length);
    Atomics.store(counts, 0, figureCount + 1);
    return figureCount;
  }
}

/** What a NodeMetrics in some thread has counted up to now. */
export function readMetrics(buffer: SharedArrayBuffer): MetricSample[] {
  const { counts, values, descriptions } = viewOf(buffer);
  const figureCount = Atomics.load(counts, 0);
  const usedBytes = Atomics.load(counts, 1);
  const lines = Buffer.from(descriptions.slice(0, usedBytes)).toString().split('\n');
  return lines.slice(0, figureCount).map((line, index) => {
    const description = JSON.parse(line) as MetricFamily & { readonly labels: MetricLabels };
    return { ...description, value: values[index]! };
  });
}

interface View {
  readonly counts: Int32Array<SharedArrayBuffer>;
  readonly values: Float64Array<SharedArrayBuffer>;
  readonly descriptions: Uint8Array<SharedArrayBuffer>;
}

function viewOf(buffer: SharedArrayBuffer): View {
  return {
    counts: new Int32Array(buffer, 0, 2),
    values: new Float64Array(buffer, VALUES_OFFSET, FIGURE_COUNT_MAX),
    descriptions: new Uint8Array(buffer, DESCRIPTIONS_OFFSET, DESCRIPTION_BYTES_MAX),
  };
}

function checkFamily(family: MetricFamily, known: MetricFamily | undefined): void {
  assert(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(family.name), 'Name of a metric is malformed');
  const isCounter = family.name.endsWith('_total');
  assert(isCounter === (family.kind === 'counter'), 'Counters, and only they, end in _total');
  const isConsistent = known === undefined || known.kind === family.kind;
  assert(isConsistent && (known === undefined || known.help === family.help), 'Metric differs');
}

function sortLabels(labels: MetricLabels): MetricLabels {
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name] of entries) {
    assert(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name), 'Name of a label is malformed');
  }
  return Object.fromEntries(entries);
}
