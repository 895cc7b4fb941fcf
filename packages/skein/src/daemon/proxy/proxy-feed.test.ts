import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Situation } from '@skein/cluster';

import type { EngineLogSource } from '../../replication/log-source.ts';
import type { ClusterService } from '../cluster/cluster-service.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import { createProxyFeed } from './proxy-feed.ts';
import type { ProxyFeed } from './proxy-thread.ts';

const PRIMARY = {
  name: 'node1',
  url: 'http://node1:20202/',
  proxyUrl: 'http://node1:8000/',
} as Situation['primary'];

/** A feed of a node whose situation the test changes. */
function feedOf(situation: Partial<Situation>): ProxyFeed {
  const service = { node: { situation }, follower: undefined, streams: undefined };
  return createProxyFeed({
    nodeName: 'node2',
    service: service as unknown as ClusterService,
    source: { positions: () => new Map() } as unknown as EngineLogSource,
    thread: {} as MountThreadClient,
  });
}

describe('What a proxy is told of its node', () => {
  test('is the epoch of what it has, not one that it has only heard of', () => {
    const situation: { -readonly [K in keyof Situation]?: Situation[K] } = {
      role: 'replica',
      link: 'connected',
      epoch: 2,
    };
    const feed = feedOf(situation);
    assert.equal(feed.epoch, 0);
    situation.link = 'caught-up';
    assert.equal(feed.epoch, 2);
    // The primary is gone; then a later one is connected to, which may have less.
    Object.assign(situation, { role: 'no-primary', link: 'none', epoch: 3 });
    assert.equal(feed.epoch, 2);
    Object.assign(situation, { role: 'replica', link: 'connected' });
    assert.equal(feed.epoch, 2);
    situation.link = 'caught-up';
    assert.equal(feed.epoch, 3);
  });

  test('is its own term on a primary', () => {
    assert.equal(feedOf({ role: 'primary', link: 'none', epoch: 7 }).epoch, 7);
  });

  test('is no primary where nothing can be forwarded to it', () => {
    const replica = { role: 'replica', link: 'caught-up', epoch: 1 } as const;
    const proxyUrl = 'http://node1:8000/';
    const { role, primary } = feedOf({ ...replica, primary: PRIMARY }).describe();
    assert.deepEqual([role, primary], ['replica', { name: 'node1', proxyUrl }]);
    for (const other of [undefined, 'https://node1/']) {
      const feed = feedOf({ ...replica, primary: { ...PRIMARY!, proxyUrl: other } });
      assert.equal(feed.describe().role, 'no-primary', other);
    }
  });
});
