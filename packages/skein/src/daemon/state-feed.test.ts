import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { type Position, toChecksum, toTxid } from '@skein/ltx';
import { SimClock } from '@skein/testkit';

import type { StateLine } from '../api/state-routes.ts';
import { StateFeed } from './state-feed.ts';

const PAUSE_MS = 5;

/** A feed over databases that the test moves, with somebody who follows it. */
function start(t: TestContext) {
  const positions = new Map<string, Position>();
  const listeners: (() => void)[] = [];
  const clock = new SimClock();
  const node = { name: 'node1', role: 'primary', epoch: 3, lagMs: 0 } as const;
  const feed = new StateFeed({
    clock,
    describe: () => node,
    feed: {
      epoch: node.epoch,
      positions: () => positions,
      refresh: () => Promise.resolve(),
      onChange: (listener) => void listeners.push(listener),
    },
  });
  t.after(() => feed.close());
  const move = (database: string, txid: bigint): void => {
    positions.set(database, { txid: toTxid(txid), checksum: toChecksum(2n ** 63n) });
    clock.advance(PAUSE_MS);
    for (const listener of listeners) listener();
  };
  const drop = (database: string): void => {
    positions.delete(database);
    clock.advance(PAUSE_MS);
    for (const listener of listeners) listener();
  };
  const follow = (): StateLine[] => {
    const lines: StateLine[] = [];
    const write = (line: string): number => {
      lines.push(JSON.parse(line) as StateLine);
      return 0;
    };
    feed.follow({ write, end: () => {} });
    return lines;
  };
  return { feed, move, drop, follow };
}

const at = (digit: string) => ({ epoch: 3, txid: digit.padStart(16, '0') });

describe('Who follows a node', () => {
  test('is told of everything at first, then of what has moved', async (t) => {
    const { move, drop, follow } = start(t);
    move('a.db', 1n);
    move('b.db', 10n);
    const lines = follow();
    move('a.db', 2n);
    await turn();
    drop('b.db');
    await turn();
    const [first, second, third, ...rest] = lines;
    const { positions, seq, ...node } = first!;
    assert.deepEqual(node, { name: 'node1', role: 'primary', epoch: 3, lagMs: 0 });
    assert.deepEqual(positions, { 'a.db': at('1'), 'b.db': at('a') });
    assert.deepEqual([second!.seq, second!.positions], [seq + 1, { 'a.db': at('2') }]);
    assert.deepEqual([third!.seq, third!.positions], [seq + 2, { 'b.db': null }]);
    assert.deepEqual(rest, []);
  });

  test('misses nothing that another learned of by asking', async (t) => {
    const { feed, move, follow } = start(t);
    const lines = follow();
    move('a.db', 1n);
    const late = follow();
    assert.equal(feed.now().positions['a.db']?.txid, at('1').txid);
    for (const told of [lines, late]) {
      const all = told.flatMap(({ positions }) => Object.entries(positions));
      assert.deepEqual(all, [['a.db', at('1')]]);
    }
  });

  test('has everything by the line whose number is told when all is settled', async (t) => {
    const { feed, move, follow } = start(t);
    const lines = follow();
    move('a.db', 7n);
    const seq = await feed.settled();
    const told = lines.filter((line) => line.seq <= seq && line.positions['a.db'] !== undefined);
    assert.deepEqual(
      told.map(({ positions }) => positions),
      [{ 'a.db': at('7') }],
    );
  });
});
