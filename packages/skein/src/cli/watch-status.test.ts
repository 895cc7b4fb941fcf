import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';

import type { ClusterStatus } from '../api/cluster-status.ts';
import type { NodeStatus } from '../api/node-control.ts';
import { describeCluster } from './cluster-view.ts';
import { watchStatus } from './watch-status.ts';

const PEER = {
  name: 'node2',
  url: 'http://node2:20202/',
  role: 'replica',
  epoch: 65_543,
  isConnected: true,
  isCaughtUp: true,
  positions: [{ database: 'app.db', durable: '000000000000002a', applied: '0000000000000029' }],
  behindCount: 1,
} as const;

const CLUSTER: ClusterStatus = {
  name: 'node1',
  role: 'primary',
  epoch: 65_543,
  url: 'http://node1:20202/',
  configuredPrimary: 'node1',
  isCaughtUp: false,
  problems: [],
  peers: [PEER],
  diverged: [],
};

function statusWith(cluster: Partial<ClusterStatus>, txid = '000000000000002a'): NodeStatus {
  return {
    databases: [{ name: 'app.db', txid }],
    applying: [{ database: 'b.db', waitingCount: 2, reason: 'a writer is in the way', pid: 7 }],
    cluster: { ...CLUSTER, ...cluster },
  } as unknown as NodeStatus;
}

describe('describeCluster()', () => {
  test('shows each node, what is wrong and what waits', () => {
    const problems = [{ code: 'PRIMARY_CONFLICT', message: 'node1 differs', hint: 'Mend it' }];
    const text = describeCluster(statusWith({ problems, diverged: ['dbs/a.db/diverged/1-a'] }));
    assert.deepEqual(
      text.split('\n').map((line) => line.replaceAll(/ +/g, ' ')),
      [
        'NODE ROLE EPOCH STREAM POSITION LAG URL',
        'node1 * primary 65543 - app.db 2a - http://node1:20202/',
        'node2 replica 65543 follows app.db 29 1 tx http://node2:20202/',
        'node1 differs',
        ' Mend it',
        'b.db: 2 transactions wait to be applied: a writer is in the way (process 7)',
        'Transactions that the primary did not have are kept in dbs/a.db/diverged/1-a',
        '',
      ],
    );
  });

  test('says nothing of a node that is alone', () => {
    assert.equal(describeCluster({ databases: [] } as unknown as NodeStatus), '');
  });
});

describe('watchStatus()', () => {
  async function watch(isTTY: boolean, states: readonly NodeStatus[]): Promise<string> {
    const stop = new AbortController();
    let text = '';
    const stdout: Writable & { isTTY?: boolean } = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        text += chunk.toString();
        done();
      },
    });
    stdout.isTTY = isTTY;
    let index = 0;
    const status = (): Promise<NodeStatus> => {
      const state = states[index++]!;
      if (index === states.length) stop.abort();
      return Promise.resolve(state);
    };
    await watchStatus({ status, draw: () => 'drawn\n', stdout, signal: stop.signal });
    return text;
  }

  test('draws in place on a terminal', async () => {
    assert.equal(await watch(true, [statusWith({})]), '\u001B[H\u001B[Jdrawn\n');
  });

  test('writes a line for what has changed elsewhere', async () => {
    const text = await watch(false, [
      statusWith({}),
      statusWith({ peers: [] }, '000000000000002b'),
    ]);
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^\S+ /, '')),
      [
        'database app.db is at 000000000000002a',
        'node node1 is primary in epoch 65543',
        'peer node2 is replica, follows',
        'database app.db is at 000000000000002b',
        'peer node2 is gone',
      ],
    );
  });
});
