import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventHub, type NodeEvent } from './events.ts';

const FIRST: NodeEvent = { type: 'init', data: { isPrimary: true, role: 'primary', epoch: 1 } };
const LAG: NodeEvent = { type: 'lag', data: { lagMs: 5 } };

test('Subscribers get all from where they begin, and no more after they have left', () => {
  const hub = new EventHub();
  const lines: string[] = [];
  const write = (line: string): number => {
    lines.push(line);
    return 0;
  };
  hub.publish(LAG);
  const end = hub.subscribe({ write, end: () => assert.fail('It was fast enough') }, FIRST);
  hub.publish(LAG);
  end();
  hub.publish(LAG);
  assert.deepEqual(lines, [`${JSON.stringify(FIRST)}\n`, `${JSON.stringify(LAG)}\n`]);
});

test('Who does not read is cut off; others are not', () => {
  const hub = new EventHub();
  const ended: string[] = [];
  const counts: number[] = [];
  hub.onCount((count) => counts.push(count));
  hub.subscribe({ write: () => 2 ** 21, end: () => ended.push('slow') }, FIRST);
  hub.subscribe({ write: () => 0, end: () => ended.push('fast') }, FIRST);
  hub.publish(LAG);
  assert.deepEqual([ended, counts], [['slow'], [1, 2, 1]]);
  hub.close();
  assert.deepEqual([ended, hub.subscriberCount], [['slow', 'fast'], 0]);
});

test('There is an end to how many may listen', () => {
  const hub = new EventHub();
  const subscriber = (): Parameters<EventHub['subscribe']>[0] => ({ write: () => 0, end() {} });
  const [end] = Array.from({ length: 64 }, () => hub.subscribe(subscriber(), FIRST));
  assert.equal(hub.isFull, true);
  end!();
  assert.equal(hub.isFull, false);
});
