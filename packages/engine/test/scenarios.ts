// What clients do to a node, for the simulations: each journal mode by itself, what is rare, and
// everything at once.

import type { Actor } from './actor.ts';
import { JOURNAL_ENDS } from './rollback-client.ts';
import type { Scenario } from './world.ts';

const FIRST = 'app.db';
const SECOND = 'other.db';

const rollbackModes: readonly Scenario[] = JOURNAL_ENDS.map((end) => ({
  name: `journal mode ${end}`,
  act: (actor) => {
    for (let n = 0; n < 12; n++) {
      actor.commit(FIRST, end);
      if (n % 4 === 1) actor.rollBack(FIRST, end);
      if (n % 5 === 2) actor.commitUnsynced(FIRST, end);
    }
  },
}));

const superJournals: readonly Scenario[] = JOURNAL_ENDS.map((end) => ({
  name: `transactions over two databases, journal mode ${end}`,
  act: (actor) => {
    actor.commit(FIRST, end);
    for (let n = 0; n < 5; n++) {
      actor.commitTogether([FIRST, SECOND], end);
      actor.commit(SECOND, end);
    }
  },
}));

const walModes: readonly Scenario[] = [true, false].map((syncs) => ({
  name: `journal mode wal, synchronous=${syncs ? 'FULL' : 'NORMAL'}`,
  act: (actor) => {
    actor.commit(FIRST, 'delete');
    actor.switchToWal(FIRST);
    for (let n = 0; n < 20; n++) {
      actor.commitWal(FIRST, syncs);
      if (n % 5 === 3) actor.wal(FIRST).checkpoint();
      if (n % 7 === 6) actor.wal(FIRST).checkpoint(actor.random.int(1, 12));
      if (n === 12) actor.wal(FIRST).checkpointTruncate();
      if (n % 6 === 2) actor.node.pass(60);
    }
    actor.switchToRollback(FIRST);
    actor.commit(FIRST, 'persist');
  },
}));

const others: readonly Scenario[] = [
  {
    name: 'a page cache that spills past the memory for it',
    engine: { overlayBytes: 0 },
    act: (actor) => {
      for (let n = 0; n < 6; n++) actor.commit(FIRST, actor.anyEnd());
      actor.rollBack(FIRST, 'delete');
      actor.commitTogether([FIRST, SECOND], 'truncate');
    },
  },
  {
    name: 'segments and checkpoints, with the smallest retention',
    engine: { segmentBytes: 12 * 1024, checkpointBytes: 6 * 1024, retentionMs: 0 },
    keepsLog: false,
    act: (actor) => {
      for (let n = 0; n < 12; n++) {
        actor.commit(FIRST, actor.anyEnd());
        actor.node.pass(10);
        actor.commit(SECOND, 'truncate');
        if (n % 4 === 3) actor.node.pass(61_000);
      }
    },
  },
  {
    name: 'files that are copied in and renamed into place',
    act: (actor) => {
      actor.copyIn(FIRST);
      actor.commit(FIRST, 'delete');
      actor.copyIn(FIRST);
      actor.renameInto(SECOND);
      actor.commit(SECOND, 'persist');
      actor.renameInto(SECOND);
      actor.renameInto(FIRST);
    },
  },
  {
    name: 'databases that are dropped and made again',
    engine: { checkpointBytes: 8 * 1024, retentionMs: 0, segmentBytes: 16 * 1024 },
    keepsLog: false,
    act: (actor) => {
      for (let n = 0; n < 3; n++) {
        actor.commit(FIRST, 'delete');
        actor.commit(SECOND, 'persist');
        if (n === 1) actor.node.pass(61_000);
        actor.drop(FIRST);
        actor.copyIn(FIRST);
        actor.drop(FIRST);
        actor.node.pass(61_000);
        actor.drop(SECOND);
      }
    },
  },
  {
    name: 'transactions too large for the log',
    engine: { inlineBytes: 2000, segmentBytes: 16 * 1024, retentionMs: 0, checkpointBytes: 16_000 },
    keepsLog: false,
    act: (actor) => {
      for (let n = 0; n < 8; n++) {
        actor.commit(FIRST, actor.anyEnd());
        actor.commitTogether([FIRST, SECOND], 'persist');
        if (n === 5) actor.node.pass(61_000);
      }
      actor.switchToWal(FIRST);
      for (let n = 0; n < 8; n++) actor.commitWal(FIRST, actor.random.bool());
    },
  },
];

/** Everything at once, in the order that the seed says. */
function torture(actor: Actor): void {
  const names = [FIRST, SECOND];
  for (let n = 0; n < 25; n++) {
    const name = actor.random.pick(names);
    if (!actor.exists(name)) {
      actor.random.pick([
        () => actor.commit(name, actor.anyEnd()),
        () => actor.copyIn(name),
        () => actor.renameInto(name),
      ])();
    } else if (actor.isWal(name)) {
      actor.random.pick([
        () => actor.commitWal(name, actor.random.bool()),
        () => actor.commitWal(name, actor.random.bool()),
        () => actor.wal(name).checkpoint(actor.random.int(1, 30)),
        () => actor.wal(name).checkpoint(),
        () => actor.wal(name).checkpointTruncate(),
        () => actor.switchToRollback(name),
        () => actor.drop(name),
        () => actor.node.pass(actor.random.pick([10, 60, 61_000])),
      ])();
    } else {
      actor.random.pick([
        () => actor.commit(name, actor.anyEnd()),
        () => actor.rollBack(name, actor.anyEnd()),
        () => actor.switchToWal(name),
        () => actor.drop(name),
        () => actor.copyIn(name),
        () => actor.renameInto(name),
        () => actor.node.pass(actor.random.pick([10, 61_000])),
        () => {
          if (names.every((other) => !actor.isWal(other)))
            actor.commitTogether(names, actor.anyEnd());
        },
      ])();
    }
  }
}

/** Each by itself. */
export const SCENARIOS: readonly Scenario[] = [
  ...rollbackModes,
  ...superJournals,
  ...walModes,
  ...others,
];

/** Everything in the order that a seed says, with segments and overlays as small as can be. */
export const TORTURE: Scenario = {
  name: 'everything at once',
  engine: {
    segmentBytes: 16 * 1024,
    checkpointBytes: 8 * 1024,
    inlineBytes: 10_000,
    retentionMs: 0,
    overlayBytes: 0,
  },
  keepsLog: false,
  act: torture,
};
