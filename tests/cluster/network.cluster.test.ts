// Nodes on hosts of their own, whose network fails: cut off, 200 ms away, losing 5 % of the
// packets, and all of it in turns together with crashes. Once it is healed, and after a quiet
// second, all have the same.

import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Condition, disturb, SeededRandom } from '@skein/testkit';

import { runHistory } from '../lib/history-run.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { startNetworkedCluster } from '../lib/test-cluster.ts';

const FAULT_MS = scaled(8000, 60_000);
const RANDOM_MS = scaled(20_000, 180_000);
const TIMEOUT_MS = RANDOM_MS + 120_000;
const BEFORE_MS = 1000;

interface NetworkFault {
  readonly what: string;
  readonly node: string;
  readonly condition: Partial<Condition>;
}

const FAULTS: readonly NetworkFault[] = [
  { what: 'a replica is cut off', node: 'node2', condition: { isCut: true } },
  { what: 'the primary is cut off', node: 'node1', condition: { isCut: true } },
  { what: 'a replica is 200 ms away', node: 'node2', condition: { delayMs: 200 } },
  { what: 'the primary is 200 ms away', node: 'node1', condition: { delayMs: 200 } },
  { what: 'a replica loses 5 % of its packets', node: 'node2', condition: { lossPerMille: 50 } },
];

suite(`Hosts whose network fails: ${replayHint(SEED, 'network')}`, () => {
  for (const { what, node, condition } of FAULTS) {
    test(what, async (t) => {
      const networked = await startNetworkedCluster(t, { seed: SEED, timeoutMs: TIMEOUT_MS });
      if (networked === undefined) return;
      const { cluster, network } = networked;
      await runHistory(t, {
        cluster,
        seed: SEED,
        journalMode: 'wal',
        // The primary's clients write on, whatever becomes of its replicas.
        writeCountMin: 200,
        during: async () => {
          await sleep(BEFORE_MS);
          network.set(node, condition);
          await sleep(FAULT_MS);
          network.heal();
          return [];
        },
      });
    });
  }

  test('everything in turns, with crashes', async (t) => {
    const networked = await startNetworkedCluster(t, { seed: SEED, timeoutMs: TIMEOUT_MS });
    if (networked === undefined) return;
    const { cluster, network } = networked;
    const random = new SeededRandom(SEED);
    await runHistory(t, {
      cluster,
      seed: SEED,
      journalMode: 'wal',
      writeCountMin: 50,
      during: () => disturb({ cluster, network, random, durationMs: RANDOM_MS }),
    });
  });
});
