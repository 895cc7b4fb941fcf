import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NodeMetrics, readMetrics } from '@skein/host';

import { ClusterFigures } from './cluster-figures.ts';

function read(metrics: NodeMetrics): Record<string, number> {
  const entries = readMetrics(metrics.buffer).map(({ name, labels, value }) => {
    const role = labels['role'];
    return [role === undefined ? name : `${name} ${role}`, value] as const;
  });
  return Object.fromEntries(entries);
}

test('Figures tell one role, and a replica that never heard of its primary as late', () => {
  const metrics = new NodeMetrics();
  const figures = new ClusterFigures(metrics);
  const facts = { epoch: 65_537, lagMs: undefined, problemCount: 1, divergedCount: 2 };
  figures.update({ ...facts, role: 'no-primary' });
  const before = read(metrics);
  assert.equal(before['skein_cluster_role no-primary'], 1);
  assert.equal(before['skein_cluster_role primary'], 0);
  assert.equal(before['skein_cluster_lag_seconds'], Infinity);
  assert.equal(before['skein_cluster_epoch'], 65_537);
  assert.deepEqual([before['skein_cluster_problems'], before['skein_cluster_diverged']], [1, 2]);
  figures.update({ ...facts, role: 'replica', lagMs: 250 });
  assert.equal(read(metrics)['skein_cluster_lag_seconds'], 0.25);
  figures.update({ ...facts, role: 'primary' });
  const after = read(metrics);
  assert.equal(after['skein_cluster_role no-primary'], 0);
  assert.equal(after['skein_cluster_role primary'], 1);
  assert.equal(after['skein_cluster_lag_seconds'], 0);
});
