import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { NodeMetrics, readMetrics } from './node-metrics.ts';
import { formatPrometheus } from './prometheus.ts';

/** Without the figure that every NodeMetrics has about itself. */
function samplesOf(metrics: NodeMetrics): ReturnType<typeof readMetrics> {
  return readMetrics(metrics.buffer).filter(({ name }) => !name.startsWith('skein_metrics_'));
}

describe('NodeMetrics', () => {
  test('counts and sets, seen through the buffer alone', () => {
    const metrics = new NodeMetrics();
    const counter = metrics.counter('skein_bytes_total', 'Bytes');
    const gauge = metrics.gauge('skein_lag', 'Lag', { database: 'a.db' });
    counter.add(3);
    counter.add(0.5);
    gauge.set(-7);
    assert.deepEqual(samplesOf(metrics), [
      { name: 'skein_bytes_total', kind: 'counter', help: 'Bytes', labels: {}, value: 3.5 },
      { name: 'skein_lag', kind: 'gauge', help: 'Lag', labels: { database: 'a.db' }, value: -7 },
    ]);
  });

  test('gives the same figure for the same name and labels in any order', () => {
    const metrics = new NodeMetrics();
    metrics.counter('skein_total', 'Help', { a: '1', b: '2' }).add(1);
    metrics.counter('skein_total', 'Help', { b: '2', a: '1' }).add(1);
    metrics.counter('skein_total', 'Help', { a: '1', b: '3' }).add(1);
    assert.deepEqual(
      samplesOf(metrics).map(({ value }) => value),
      [2, 1],
    );
  });

  test('refuses names and changes that a reader would choke on', () => {
    const metrics = new NodeMetrics();
    metrics.counter('skein_total', 'Help');
    assert.throws(() => metrics.counter('skein_total', 'Other help'), /differs/);
    assert.throws(() => metrics.counter('skein bytes_total', 'Help'), /malformed/);
    assert.throws(() => metrics.counter('skein_bytes', 'Help'), /_total/);
    assert.throws(() => metrics.gauge('skein_bytes_total', 'Help'), /_total/);
    assert.throws(() => metrics.gauge('skein_lag', 'Help', { 'data-base': '' }), /malformed/);
    assert.throws(() => metrics.gauge('skein_lag', 'Help', { __name: '' }), /malformed/);
    assert.throws(() => metrics.counter('skein_total', 'Help').add(-1), /grows/);
    assert.throws(() => metrics.counter('skein_total', 'Help').add(Number.NaN), /grows/);
  });

  test('figures beyond its room cost nothing and are counted', () => {
    const metrics = new NodeMetrics();
    for (let index = 0; index < 20_000; index += 1) {
      metrics.gauge('skein_lag', 'Help', { index: String(index) }).set(index);
    }
    const samples = readMetrics(metrics.buffer);
    assert.equal(samples.length, 16_384);
    assert.equal(samples[0]!.name, 'skein_metrics_dropped_total');
    assert.equal(samples[0]!.value, 20_000 - 16_383);
    assert.equal(samples.at(-1)!.value, 16_382);
  });

  test('descriptions too long for the buffer are dropped like the rest', () => {
    const metrics = new NodeMetrics();
    metrics.gauge('skein_lag', 'x'.repeat(5_000_000)).set(1);
    metrics.gauge('skein_other', 'Help').set(2);
    assert.deepEqual(
      readMetrics(metrics.buffer).map(({ name, value }) => [name, value]),
      [
        ['skein_metrics_dropped_total', 1],
        ['skein_other', 2],
      ],
    );
  });
});

describe('formatPrometheus()', () => {
  test('describes each name once and escapes what could end a line or a label', () => {
    const metrics = new NodeMetrics();
    metrics.counter('skein_total', 'Line one\nline \\ two', { database: 'a"b\\c\nd' }).add(1e21);
    metrics.gauge('skein_lag', 'Lag').set(Infinity);
    metrics.counter('skein_total', 'Line one\nline \\ two', { database: 'b', node: 'n1' }).add(2);
    assert.equal(
      formatPrometheus(samplesOf(metrics)),
      [
        '# HELP skein_total Line one\\nline \\\\ two',
        '# TYPE skein_total counter',
        'skein_total{database="a\\"b\\\\c\\nd"} 1e+21',
        'skein_total{database="b",node="n1"} 2',
        '# HELP skein_lag Lag',
        '# TYPE skein_lag gauge',
        'skein_lag +Inf',
        '',
      ].join('\n'),
    );
  });

  test('is empty for nothing', () => {
    assert.equal(formatPrometheus([]), '');
  });
});
