import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import type { Situation } from '@skein/cluster';
import { NodeMetrics, readMetrics } from '@skein/host';
import { RecordingLog } from '@skein/testkit';

import { finishCluster } from '../../config/cluster-draft.ts';
import type { NodeShownState } from '../../mount/shown-state.ts';
import type { EngineLogSource } from '../../replication/log-source.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import type { ClusterService } from './cluster-service.ts';
import { ClusterVoice } from './cluster-voice.ts';

const { config } = finishCluster({ primary: 'node1' }, { cwd: '/', hostname: 'node2' });

type Draft = { -readonly [K in keyof Situation]: Situation[K] };

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const situation: Draft = {
    role: 'no-primary',
    epoch: 1,
    link: 'none',
    clusterId: undefined,
    primary: undefined,
    blockers: [],
    peers: [],
  };
  const shown: NodeShownState[] = [];
  const metrics = new NodeMetrics();
  let changed = (): void => {};
  const service = {
    node: { situation },
    metrics,
    streams: { replicas: [] },
    follower: undefined,
    authenticator: undefined,
    url: new URL('http://node2:20202/'),
    proxyUrl: undefined,
    sqlUrl: undefined,
    onChange: (listener: () => void) => {
      changed = listener;
    },
  } as unknown as ClusterService;
  const voice = new ClusterVoice({
    config: config!,
    dataFolder: '/nonexistent',
    service,
    source: { positions: () => new Map() } as unknown as EngineLogSource,
    thread: {
      show: (state: NodeShownState) => void shown.push(state),
    } as unknown as MountThreadClient,
    log: new RecordingLog(),
  });
  t.after(() => voice.close());
  return { voice, situation, shown, metrics, changed: () => changed() };
}

describe('ClusterVoice', () => {
  test('shows what acknowledgements change at its own pace', (t) => {
    const { shown, changed } = setUp(t);
    assert.equal(shown.length, 1);
    for (let count = 0; count < 1000; count += 1) changed();
    assert.equal(shown.length, 1);
    t.mock.timers.tick(100);
    assert.equal(shown.length, 2);
    t.mock.timers.tick(100);
    assert.equal(shown.length, 2);
  });

  test('shows and tells a change of the role at once', (t) => {
    const { voice, situation, shown, metrics, changed } = setUp(t);
    const lines: string[] = [];
    const write = (line: string): number => lines.push(line);
    voice.events.subscribe({ write, end: () => {} }, { type: 'lag', data: { lagMs: 0 } });
    situation.role = 'replica';
    changed();
    assert.equal(shown.at(-1)!.primaryName, 'node1');
    assert.equal(JSON.parse(shown.at(-1)!.statusJson).role, 'replica');
    assert.deepEqual(JSON.parse(lines.at(-1)!), {
      type: 'role',
      data: { isPrimary: false, role: 'replica', epoch: 1 },
    });
    const roles = readMetrics(metrics.buffer).filter(({ name }) => name === 'skein_cluster_role');
    assert.deepEqual(
      roles.filter(({ value }) => value === 1).map(({ labels }) => labels['role']),
      ['replica'],
    );
  });

  test('is ready as a primary, or as a replica that has caught up', (t) => {
    const { voice, situation } = setUp(t);
    assert.match(voice.unreadiness()!, /no primary in sight/);
    Object.assign(situation, { role: 'replica', link: 'connected' });
    assert.match(voice.unreadiness()!, /not caught up/);
    situation.link = 'caught-up';
    assert.equal(voice.unreadiness(), undefined);
    Object.assign(situation, { role: 'fenced', blockers: [new Error('A later term')] });
    assert.equal(voice.unreadiness(), 'A later term');
    Object.assign(situation, { role: 'primary', blockers: [] });
    assert.equal(voice.unreadiness(), undefined);
  });

  test('shows nothing any more when it is closed', (t) => {
    const { voice, shown, changed } = setUp(t);
    changed();
    voice.close();
    t.mock.timers.tick(10_000);
    assert.equal(shown.length, 1);
  });
});
