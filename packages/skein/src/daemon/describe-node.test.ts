import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Situation } from '@skein/cluster';

import type { ClusterConfig } from '../config/cluster-config.ts';
import type { ClusterService } from './cluster/cluster-service.ts';
import { describeNode } from './describe-node.ts';
import type { NodeDescription } from './state-feed.ts';

const CONFIG: Pick<ClusterConfig, 'primary'> = {
  primary: { name: 'node1', urls: ['http://node1:20202/'] },
};
const PRIMARY = { name: 'node1', url: 'http://node1:20202/', proxyUrl: 'http://node1:8000/' };

function told(
  situation: Partial<Situation>,
  { takesWrites = false, lagMs }: { takesWrites?: boolean; lagMs?: number } = {},
): NodeDescription {
  const feed = { nodeName: 'node2', epoch: 1 };
  const service = { node: { situation }, follower: { lagMs }, takesWrites };
  return describeNode({ feed, config: CONFIG, service: service as unknown as ClusterService });
}

describe('What an application is told of its node', () => {
  test('is that it is primary where it is alone', () => {
    const feed = { nodeName: 'host1', epoch: 7 };
    const node = describeNode({ feed, config: undefined, service: undefined });
    assert.deepEqual(node, { name: 'host1', role: 'primary', epoch: 7, lagMs: 0 });
  });

  test('is that it is primary only when its mount takes writes', () => {
    const leading = { role: 'primary', epoch: 3 } as const;
    const common = { name: 'node2', epoch: 3, lagMs: 0 };
    assert.deepEqual(told(leading), { ...common, role: 'no-primary' });
    assert.deepEqual(told(leading, { takesWrites: true }), { ...common, role: 'primary' });
  });

  test('is whom it follows, and how far behind it is', () => {
    const primary = { ...PRIMARY, sqlUrl: undefined } as Situation['primary'];
    const following = { role: 'replica', epoch: 3, primary } as const;
    const { primary: known, ...node } = told(following, { lagMs: 12.4 });
    assert.deepEqual(node, { name: 'node2', role: 'replica', epoch: 3, lagMs: 12 });
    assert.deepEqual(known, PRIMARY);
    assert.equal(told({ ...following }).lagMs, 2_147_483_647);
    const { primary: none, role } = told({ ...following, role: 'no-primary' });
    assert.deepEqual([none, role], [undefined, 'no-primary']);
  });
});
