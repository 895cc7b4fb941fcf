// Every journal mode with every level of synchronous and all kinds of pages: what one client wrote,
// others read, and the log says the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import {
  JOURNAL_MODES,
  type JournalMode,
  requireDriver,
  requirePart,
  SeededRandom,
  SQLITE_DRIVERS,
} from '@skein/testkit';

import { connect, SYNCHRONOUS, type Synchronous } from './clients.ts';
import { replayLog } from './replay-log.ts';
import { shareNode } from './shared-node.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

interface Setting {
  readonly journalMode: JournalMode;
  readonly synchronous: Synchronous;
  readonly pageSize: number;
}

/** Every mode with every level; page sizes so that each meets each mode over the seeds. */
function sampleSettings(seed: number): Setting[] {
  const random = new SeededRandom(seed);
  return JOURNAL_MODES.flatMap((journalMode) =>
    SYNCHRONOUS.map((synchronous) => ({
      journalMode,
      synchronous,
      pageSize: random.pick(PAGE_SIZES),
    })),
  );
}

const SEED = Number(process.env['SEED'] ?? 1);
const REPLAY = `replay with SEED=${SEED} node tools/run.mjs test mount journal-modes`;

describe(`On the mount, seed ${SEED}`, () => {
  const shared = shareNode({ timeoutMs: 600_000 });

  for (const [n, setting] of sampleSettings(SEED).entries()) {
    const { journalMode, synchronous, pageSize } = setting;
    test(`${journalMode}, synchronous ${synchronous}, pages of ${pageSize}`, async (t) => {
      const driver = SQLITE_DRIVERS[n % SQLITE_DRIVERS.length]!;
      if (!requirePart(t, 'fuse', 'root') || !requireDriver(t, driver)) return;
      const node = shared();
      const name = `${journalMode}-${synchronous}.db`;
      const writer = await connect(t, node.path(name), { driver, ...setting });
      const reader = await connect(t, node.path(name), { busyTimeoutMs: 5000 });
      await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      const before = node.txid(name);
      for (let id = 1; id <= 20; id++) {
        await writer.exec('INSERT INTO t VALUES (?, ?)', [id, 'x'.repeat(id * 100)]);
        const read = await reader.exec('SELECT count(*), sum(length(body)) FROM t');
        assert.deepEqual(read, [[id, (id * (id + 1) * 100) / 2]], REPLAY);
      }
      assert.equal(node.txid(name), before + 20, 'One transaction of the log for each commit');
      await writer.exec('DELETE FROM t WHERE id % 2 = 0');
      assert.equal(await reader.value('SELECT count(*) FROM t'), 10);
      assert.equal(await reader.value('PRAGMA page_size'), pageSize);
      assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
      await reader.close();
      await writer.close();
    });
  }

  test('the log has all of it', (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const node = shared();
    const replayed = replayLog(t, node.dataFolder);
    assert.ok(replayed.size >= JOURNAL_MODES.length * SYNCHRONOUS.length - 4);
    for (const [name, bytes] of replayed) {
      assert.ok(bytes.equals(readFileSync(node.path(name))), `${name} differs; ${REPLAY}`);
    }
  });

  for (const journalMode of JOURNAL_MODES) {
    test(`${journalMode}: four clients count together`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3', 'sqlite3')) return;
      const path = shared().path(`count-${journalMode}.db`);
      const options = { journalMode, busyTimeoutMs: 90_000 };
      const first = await connect(t, path, options);
      await first.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)');
      await first.exec('INSERT INTO t VALUES (1, 0)');
      const clients = await Promise.all(
        SQLITE_DRIVERS.map((driver) => connect(t, path, { driver, busyTimeoutMs: 90_000 })),
      );
      const rounds = 25;
      await Promise.all(
        clients.map(async (client) => {
          for (let round = 0; round < rounds; round++) {
            await client.exec('BEGIN IMMEDIATE');
            const n = Number(await client.value('SELECT n FROM t'));
            await client.exec('UPDATE t SET n = ?', [n + 1]);
            await client.exec('COMMIT');
          }
        }),
      );
      for (const client of clients) {
        assert.equal(await client.value('SELECT n FROM t'), clients.length * rounds);
      }
    });
  }
});
