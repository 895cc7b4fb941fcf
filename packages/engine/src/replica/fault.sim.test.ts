// Every operation of a replica's disk fails once: readers go on with a state that the primary had,
// what was acknowledged is there after a restart, and the rest comes when it is sent again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DiskError } from '@skein/host';
import { SeededRandom, SimDisk } from '@skein/testkit';

import { checkChecksums } from '../../test/inspect.ts';
import { checkReaders, openReplica, receive, receiveFile } from '../../test/replica-run.ts';
import { SentHistory } from '../../test/sent-history.ts';
import { type SentLtx, snapshotOf } from '../../test/sent-ltx.ts';
import type { SimNode } from '../../test/sim-node.ts';
import { samplePoints } from '../../test/world.ts';
import { EngineError } from '../errors.ts';

const SEED = Number(process.env['SKEIN_SIM_SEED'] ?? 1);
const POINTS_MAX = 150;

const SMALL = { segmentBytes: 16 * 1024, checkpointBytes: 8 * 1024, retentionMs: 0 };
const FAILING = new Set([
  'write',
  'truncate',
  'sync',
  'open',
  'rename',
  'remove',
  'sync-directory',
]);

/** What the test does itself. */
const UNFAILING = /^test\./u;

describe('a replica whose disk fails', () => {
  for (let seed = SEED; seed < SEED + 3; seed++) {
    test(`keeps its promises (seed ${seed})`, () => {
      const { operations } = act(openReplica(new SimDisk({ seed }), SMALL), seed).node.disk;
      const started = openReplica(new SimDisk({ seed }), SMALL).disk.operations.length;
      const points = operations.flatMap(({ kind, op }, index) =>
        index >= started && FAILING.has(kind) && !UNFAILING.test(op)
          ? [{ n: index + 1 - started, kind, op }]
          : [],
      );
      for (const { n, kind, op } of samplePoints(new SeededRandom(seed), points, POINTS_MAX)) {
        try {
          runCase(seed, n, kind);
        } catch (cause) {
          throw new Error(`${(cause as Error).message} (operation ${n}: ${op})`, { cause });
        }
      }
    });
  }
});

interface Outcome {
  readonly node: SimNode;
  readonly histories: readonly SentHistory[];
  /** Of both. */
  readonly history: readonly SentLtx[];
}

/** What comes from the primary; goes on after what was refused. */
function act(node: SimNode, seed: number): Outcome {
  const random = new SeededRandom(seed);
  const histories = ['app.db', 'other.db'].map((name) => new SentHistory(random, name));
  for (let n = 0; n < 12; n++) {
    const history = random.pick(histories);
    if (history.pages.length > 0 && random.bool(0.15)) history.drop();
    else history.next();
    send(node, histories);
    if (random.bool(0.2)) sendWhole(node, random.pick(histories));
    if (random.bool(0.3)) node.pass(61_000);
    else node.pass(100);
  }
  return { node, histories, history: histories.flatMap(({ all }) => all) };
}

/** Without a restart: the primary sends what is missing, by what the replica says that it has. */
function checkGoesOn(node: SimNode, histories: readonly SentHistory[]): void {
  send(node, histories);
  node.pass(100);
  const { replica } = node.engine;
  for (const { database, txid } of histories) {
    assert.equal(replica!.positions().get(database)?.txid ?? 0n, txid, `${database}: durable`);
    assert.equal(replica!.appliedPositions().get(database)?.txid ?? 0n, txid, `${database}: seen`);
  }
  checkReaders(
    node,
    histories.flatMap(({ all }) => all),
  );
}

function send(node: SimNode, histories: readonly SentHistory[]): void {
  for (const { database, all } of histories) {
    const txid = node.engine.replica!.positions().get(database)?.txid ?? 0n;
    tolerate(() => void receive(node, all.slice(Number(txid))));
  }
}

function sendWhole(node: SimNode, { all, pages }: SentHistory): void {
  if (pages.length > 0) tolerate(() => receiveFile(node, snapshotOf(all.at(-1)!)));
}

function tolerate(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof DiskError || error instanceof EngineError)) throw error;
  }
}

function runCase(seed: number, n: number, kind: string): void {
  const node = openReplica(new SimDisk({ seed }), SMALL);
  node.disk.failAt({ n, error: 'EIO' });
  const { history, histories } = act(node, seed);
  node.disk.clearFaults();
  checkReaders(node, history);
  if (node.engine.log.failure === undefined) checkGoesOn(node, histories);
  const acknowledged = node.engine.replica!.positions();
  node.close();
  assert.deepEqual(node.disk.openFiles(), [], 'Files are left open');
  // After a failed sync of a folder the simulated disk keeps no change of names there, ever.
  if (kind === 'sync-directory') return;
  const after = openReplica(node.disk.powerCut(new SeededRandom(seed), 'lose-all'), SMALL);
  const positions = after.engine.replica!.positions();
  for (const [name, { txid }] of acknowledged) {
    assert((positions.get(name)?.txid ?? 0n) >= txid, `${name}: what was acknowledged is lost`);
  }
  checkReaders(after, history);
  for (const [name, { txid }] of positions) {
    const rest = history.filter((sent) => sent.database === name && sent.txid > txid);
    assert.equal(receive(after, rest).refusal, undefined);
  }
  after.rest();
  checkReaders(after, history);
  checkChecksums(after);
}
