// Daemons that are killed and frozen at random while clients write and read: nothing acknowledged
// is lost, no replica shows what the primary never had, and no reader notices replication.

import { suite, test } from 'node:test';

import { disturb, JOURNAL_MODES, SeededRandom } from '@skein/testkit';

import { runHistory } from '../lib/history-run.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { startCluster } from '../lib/test-cluster.ts';

const DURATION_MS = scaled(15_000, 120_000);
const TIMEOUT_MS = DURATION_MS + 120_000;

suite(`Daemons are killed and frozen: ${replayHint(SEED, 'faults')}`, () => {
  for (const [index, journalMode] of (['wal', 'delete'] as const).entries()) {
    test(`replicas, while clients write in ${journalMode} mode`, async (t) => {
      const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
      if (cluster === undefined) return;
      const seed = SEED * 100 + index;
      await runHistory(t, {
        cluster,
        seed,
        journalMode,
        writeCountMin: 200,
        during: () =>
          disturb({
            cluster,
            random: new SeededRandom(seed),
            durationMs: DURATION_MS,
            nodes: cluster.replicas,
          }),
      });
    });
  }

  for (const [index, journalMode] of JOURNAL_MODES.entries()) {
    test(`any node, the primary too, while clients write in ${journalMode} mode`, async (t) => {
      const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
      if (cluster === undefined) return;
      const seed = SEED * 100 + 50 + index;
      await runHistory(t, {
        cluster,
        seed,
        journalMode,
        writeCountMin: 50,
        during: () => disturb({ cluster, random: new SeededRandom(seed), durationMs: DURATION_MS }),
      });
    });
  }
});
