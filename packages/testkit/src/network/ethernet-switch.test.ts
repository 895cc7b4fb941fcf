import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SeededRandom } from '../seeded-random.ts';
import { EthernetSwitch, macOf } from './ethernet-switch.ts';
import { HEALTHY, LinkConditions } from './link-conditions.ts';

const ALL = 'ff:ff:ff:ff:ff:ff';

function frame(from: number, destination: string, payload = 0): Uint8Array {
  const addresses = [destination, macOf(from)].flatMap((mac) => mac.split(':'));
  return Uint8Array.from([...addresses.map((byte) => Number.parseInt(byte, 16)), 8, 0, payload]);
}

interface TestSwitch {
  readonly network: EthernetSwitch;
  readonly conditions: LinkConditions;
  /** `to:payload` of each frame that was delivered. */
  readonly delivered: string[];
}

function threeHosts(): TestSwitch {
  const delivered: string[] = [];
  const conditions = LinkConditions.create(3);
  const network = new EthernetSwitch({
    hostCount: 3,
    conditions,
    random: new SeededRandom(1),
    deliver: (to, bytes) => delivered.push(`${to}:${bytes[14]}`),
  });
  return { network, conditions, delivered };
}

test('A frame goes to the host that has its address, and nowhere else', () => {
  const { network, delivered } = threeHosts();
  network.receive(0, frame(0, macOf(2), 7), 0);
  network.receive(0, frame(0, macOf(0), 8), 0);
  network.receive(0, frame(0, '02:00:00:00:00:99', 9), 0);
  assert.deepEqual(delivered, ['2:7']);
});

test('A frame for all goes to all but its sender', () => {
  const { network, delivered } = threeHosts();
  network.receive(1, frame(1, ALL), 0);
  assert.deepEqual(delivered, ['0:0', '2:0']);
});

test('A host that is cut off neither sends nor receives, until it heals', () => {
  const { network, conditions, delivered } = threeHosts();
  conditions.set(1, { ...HEALTHY, isCut: true });
  network.receive(0, frame(0, ALL, 1), 0);
  network.receive(1, frame(1, ALL, 2), 0);
  assert.deepEqual(delivered, ['2:1']);
  conditions.set(1, HEALTHY);
  network.receive(1, frame(1, macOf(0), 3), 0);
  assert.deepEqual(delivered, ['2:1', '0:3']);
});

test('Frames of a slow host come later, in their order, and those of others at once', () => {
  const { network, conditions, delivered } = threeHosts();
  conditions.set(0, { ...HEALTHY, delayMs: 200 });
  const sent = frame(0, macOf(1), 1);
  network.receive(0, sent, 1000);
  sent.fill(9, 14);
  network.receive(0, frame(0, macOf(1), 2), 1000);
  network.receive(1, frame(1, macOf(0), 3), 1050);
  assert.equal(network.step(1199), 1200);
  assert.deepEqual(delivered, []);
  assert.equal(network.step(1200), 1250);
  assert.deepEqual(delivered, ['1:1', '1:2']);
  assert.equal(network.step(1250), undefined);
  network.receive(1, frame(1, macOf(2), 4), 1300);
  assert.deepEqual(delivered, ['1:1', '1:2', '0:3', '2:4']);
});

test('What is on its way when the cable is cut is lost', () => {
  const { network, conditions, delivered } = threeHosts();
  conditions.set(0, { ...HEALTHY, delayMs: 200 });
  network.receive(0, frame(0, macOf(1)), 0);
  conditions.set(1, { ...HEALTHY, isCut: true });
  assert.equal(network.step(500), undefined);
  assert.deepEqual(delivered, []);
});

test('A lossy link loses about as many frames as it is told', () => {
  const { network, conditions, delivered } = threeHosts();
  conditions.set(1, { ...HEALTHY, lossPerMille: 50 });
  for (let number = 0; number < 10_000; number += 1) network.receive(0, frame(0, macOf(1)), 0);
  const lost = 10_000 - delivered.length;
  assert(lost > 400 && lost < 600, `${lost} lost`);
});

test('A frame without a whole header is dropped', () => {
  const { network, delivered } = threeHosts();
  network.receive(0, frame(0, ALL).subarray(0, 13), 0);
  assert.deepEqual(delivered, []);
});
