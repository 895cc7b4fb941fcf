// What a node made by itself and gave up, when it was healed with a snapshot of the primary of
// then, is in its log still. When it is primary again nobody is ever given any of that.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { decodeHeader, decodeTrailer, type Position, TRAILER_SIZE } from '@skein/ltx';
import { SeededRandom, SimDisk } from '@skein/testkit';

import { openReplica, receive, receiveFile } from '../../test/replica-run.ts';
import { SentHistory } from '../../test/sent-history.ts';
import { type SentLtx, snapshotOf } from '../../test/sent-ltx.ts';
import { DATA_FOLDER, SimNode, type SimNodeOptions } from '../../test/sim-node.ts';
import { LogCatalog } from './log-catalog.ts';
import { PeerCursor } from './peer-cursor.ts';

const SHARED_COUNT = 3;

interface Healed {
  readonly node: SimNode;
  /** Of which the node has all now. */
  readonly history: SentHistory;
  /** What it had in the place of the end of that. */
  readonly givenUp: SentHistory;
  readonly other: SentHistory;
}

function positionOf({ bytes }: SentLtx): Position {
  const { postApplyChecksum: checksum } = decodeTrailer(bytes.subarray(-TRAILER_SIZE));
  return { txid: decodeHeader(bytes).maxTxid, checksum };
}

/** A primary that was healed; `ownCount`: of the transactions that it had for itself. */
function healedNode(ownCount: number, options: SimNodeOptions = {}): Healed {
  const disk = new SimDisk({ seed: 1 });
  const replica = openReplica(disk, options);
  const history = new SentHistory(new SeededRandom(1), 'app.db');
  const other = new SentHistory(new SeededRandom(2), 'other.db');
  receive(replica, [other.next(), ...history.several(SHARED_COUNT), other.next()]);
  const givenUp = new SentHistory(new SeededRandom(5), 'app.db');
  givenUp.all.push(...history.all);
  receive(replica, givenUp.several(ownCount));
  history.next();
  receiveFile(replica, snapshotOf(history.all.at(-1)!));
  receive(replica, [history.next(), other.next()]);
  replica.rest();
  replica.close();
  return { node: new SimNode({ ...options, disk }), history, givenUp, other };
}

/** Everything that a peer is given; a snapshot is of the state of now. */
function stepsTo({ node }: Healed, from: ReadonlyMap<string, Position>): string[] {
  const { disk, clock, engine } = node;
  const log = { disk, folder: `${DATA_FOLDER}/log`, published: engine.log.published };
  const catalog = new LogCatalog(log, engine.followedStates());
  const cursor = new PeerCursor({ log, catalog, clock, from });
  const steps: string[] = [];
  for (let step = cursor.step(); step.kind !== 'end'; step = cursor.step()) {
    assert(steps.length < 50, 'A cursor has no end');
    if (step.kind === 'transactions') {
      for (const { database, minTxid, maxTxid } of step.transactions) {
        steps.push(`${database} ${minTxid}-${maxTxid}`);
      }
    } else if (step.kind === 'file') {
      step.file.file.close();
      steps.push(`${step.file.database} ${step.file.minTxid}-${step.file.maxTxid}`);
    } else if (step.kind === 'snapshot') {
      const { position, lsn } = catalog.states.get(step.database)!;
      cursor.tookSnapshot(step.database, position, lsn);
      steps.push(`snapshot ${step.database}`);
    }
  }
  cursor.close();
  return steps;
}

for (const segmentBytes of [1024, 1024 * 1024]) {
  describe(`A history that was given up, in segments of ${segmentBytes} bytes,`, () => {
    const options = { segmentBytes };

    test('is not what a peer gets that was away since before', () => {
      const healed = healedNode(2, options);
      const shared = positionOf(healed.history.all[SHARED_COUNT - 1]!);
      const known = positionOf(healed.other.all.at(-1)!);
      const from = new Map([
        ['app.db', shared],
        ['other.db', known],
      ]);
      assert.deepEqual(stepsTo(healed, from), ['app.db 1-4', 'app.db 5-5']);
      // The log is read from before, for another database.
      from.set('other.db', positionOf(healed.other.all[0]!));
      const whole = stepsTo(healed, from);
      assert.deepEqual(whole, ['other.db 2-2', 'app.db 1-4', 'app.db 5-5', 'other.db 3-3']);
    });

    test('does not come behind a snapshot, though it went further', () => {
      const healed = healedNode(4, options);
      const from = new Map([
        ['app.db', positionOf(healed.givenUp.all.at(-1)!)],
        ['other.db', positionOf(healed.other.all[0]!)],
      ]);
      assert.deepEqual(stepsTo(healed, from), ['snapshot app.db', 'other.db 2-2', 'other.db 3-3']);
    });

    test('is taken from a peer that has it, too', () => {
      const healed = healedNode(2, options);
      const known = positionOf(healed.other.all.at(-1)!);
      const own = positionOf(healed.givenUp.all[SHARED_COUNT]!);
      const from = new Map([
        ['app.db', own],
        ['other.db', known],
      ]);
      const steps = stepsTo(healed, from);
      assert.deepEqual(steps, ['snapshot app.db']);
    });
  });
}
