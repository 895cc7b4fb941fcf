import assert from 'node:assert/strict';
import { test } from 'node:test';

import { maybeChartData } from './chart-data.ts';
import type { Column } from './columns.ts';

const MONTH: Column = { name: 'month', type: 'Timestamp', kind: 'time' };
const TEMP: Column = { name: 'temp', type: 'Float64', kind: 'number' };
const CITY: Column = { name: 'city', type: 'Utf8', kind: 'text' };

test('maybeChartData() puts numbers over time, from left to right', () => {
  const rows = [
    { month: '1970-01-02T00:00:00', temp: 2 },
    { month: '1970-01-01T00:00:00', temp: null },
  ];
  const data = maybeChartData([TEMP, MONTH], rows)!;
  assert.equal(data.axis, MONTH);
  assert.deepEqual(data.x, [0, 86_400]);
  assert.deepEqual(data.series, [{ name: 'temp', values: [null, 2] }]);
});

test('maybeChartData() keeps texts in their order, with their labels', () => {
  const data = maybeChartData(
    [CITY, TEMP],
    [
      { city: 'b', temp: 1 },
      { city: 'a', temp: '2.5' },
    ],
  )!;
  assert.deepEqual(data.labels, ['b', 'a']);
  assert.deepEqual(data.x, [0, 1]);
  assert.deepEqual(data.series[0]!.values, [1, 2.5]);
});

test('maybeChartData() has nothing to show of texts alone, or of no rows', () => {
  assert.equal(maybeChartData([CITY], [{ city: 'a' }]), undefined);
  assert.equal(maybeChartData([CITY, TEMP], []), undefined);
  assert.equal(maybeChartData([], []), undefined);
});
