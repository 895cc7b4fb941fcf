import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Checksum, decodeHeader, type Position, toTxid } from '@skein/ltx';
import { SeededRandom } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import { DATA_FOLDER, SimNode, type SimNodeOptions } from '../../test/sim-node.ts';
import { Timeline } from '../../test/timeline.ts';
import { LogCatalog } from './log-catalog.ts';
import { PeerCursor, type PeerCursorOptions } from './peer-cursor.ts';
import { WINDOW_BYTES } from './segment-window.ts';

type Stands = Readonly<Record<string, Position>>;

class Peer {
  readonly node: SimNode;
  readonly actor: Actor;
  readonly catalog: LogCatalog;
  readonly #log: PeerCursorOptions['log'];

  constructor(options: SimNodeOptions = {}, act: (actor: Actor) => void = () => {}) {
    this.node = new SimNode(options);
    const random = new SeededRandom(1);
    const pageSize = options.seed === undefined ? 512 : 4096;
    this.actor = new Actor({ node: this.node, random, timeline: new Timeline(), pageSize });
    const { engine, disk } = this.node;
    this.#log = { disk, folder: `${DATA_FOLDER}/log`, published: engine.log.published };
    act(this.actor);
    this.catalog = new LogCatalog(this.#log, engine.followedStates());
  }

  follow(from: Stands, databases?: ReadonlySet<string>): PeerCursor {
    const { catalog, node } = this;
    const stands = new Map(Object.entries(from));
    return new PeerCursor({ log: this.#log, catalog, clock: node.clock, from: stands, databases });
  }

  /** Where the databases stand now. */
  stands(): Stands {
    this.catalog.refresh();
    return Object.fromEntries(this.catalog.positions);
  }
}

/** All steps to the end, a snapshot of the newest state whenever one is needed. */
function stepsOf(peer: Peer, cursor: PeerCursor): string[] {
  const steps: string[] = [];
  for (;;) {
    const step = cursor.step();
    switch (step.kind) {
      case 'end':
        return steps;
      case 'more':
        break;
      case 'transactions':
        for (const { database, minTxid, maxTxid, bytes } of step.transactions) {
          const range = minTxid === maxTxid ? `${maxTxid}` : `${minTxid}-${maxTxid}`;
          const { commit } = decodeHeader(bytes);
          steps.push(`${database} ${range}${commit === 0 ? ' dropped' : ''}`);
        }
        break;
      case 'file':
        step.file.file.close();
        steps.push(`file ${step.file.database} ${step.file.maxTxid}`);
        break;
      case 'snapshot': {
        peer.catalog.refresh();
        const { position, lsn } = peer.catalog.states.get(step.database)!;
        cursor.tookSnapshot(step.database, position, lsn);
        steps.push(`snapshot ${step.database} ${position.txid}`);
        break;
      }
      case 'unknown-database':
        steps.push(`unknown ${step.database}`);
    }
  }
}

function commit(actor: Actor, ...names: string[]): void {
  for (const name of names) actor.commit(name, 'persist');
}

function other({ txid, checksum }: Position): Position {
  return { txid, checksum: (checksum ^ 1n) as Checksum };
}

describe('PeerCursor', () => {
  test('gives all databases in the order of the log', () => {
    const peer = new Peer();
    const cursor = peer.follow({});
    assert.deepEqual(stepsOf(peer, cursor), []);
    commit(peer.actor, 'a.db', 'b.db', 'a.db', 'a.db', 'b.db');
    const expected = ['a.db 1', 'b.db 1', 'a.db 2', 'a.db 3', 'b.db 2'];
    assert.deepEqual(stepsOf(peer, cursor), expected);
    assert.deepEqual(stepsOf(peer, peer.follow({})), expected);
    commit(peer.actor, 'b.db');
    assert.deepEqual(stepsOf(peer, cursor), ['b.db 3']);
  });

  test('gives each database from where the peer stands, in one pass', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db', 'b.db');
    const before = peer.stands();
    commit(peer.actor, 'a.db', 'b.db', 'a.db');
    const between = peer.stands();
    commit(peer.actor, 'b.db', 'a.db');
    const from = { 'a.db': between['a.db']!, 'b.db': before['b.db']! };
    assert.deepEqual(stepsOf(peer, peer.follow(from)), ['b.db 2', 'b.db 3', 'a.db 4']);
    assert.deepEqual(stepsOf(peer, peer.follow(peer.stands())), []);
  });

  test('gives both parts of a transaction over two databases', () => {
    const peer = new Peer();
    peer.actor.commitTogether(['a.db', 'b.db'], 'delete');
    assert.deepEqual(stepsOf(peer, peer.follow({})), ['a.db 1', 'b.db 1']);
    const { 'a.db': from } = peer.stands();
    assert.deepEqual(stepsOf(peer, peer.follow({ 'a.db': from! })), ['b.db 1']);
  });

  test('sends a database whole whose history is another one, and goes on from there', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db', 'b.db');
    const { 'a.db': a, 'b.db': b } = peer.stands();
    commit(peer.actor, 'a.db', 'b.db');
    const ahead = { txid: toTxid(7), checksum: b!.checksum };
    const cursor = peer.follow({ 'a.db': other(a!), 'b.db': ahead });
    // That the checksum of a.db is wrong shows when its next transaction is read.
    assert.deepEqual(stepsOf(peer, cursor), ['snapshot b.db 2', 'snapshot a.db 2']);
    commit(peer.actor, 'b.db', 'a.db');
    assert.deepEqual(stepsOf(peer, cursor), ['b.db 3', 'a.db 3']);
    const equal = peer.follow({ 'a.db': other(peer.stands()['a.db']!) }, new Set(['a.db']));
    assert.deepEqual(stepsOf(peer, equal), ['snapshot a.db 3']);
  });

  test('goes back in the log for a snapshot that is older than what it has passed', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db', 'b.db');
    const old = peer.stands()['a.db']!;
    commit(peer.actor, 'a.db', 'b.db', 'b.db', 'a.db');
    const cursor = peer.follow({ 'a.db': { txid: toTxid(9), checksum: old.checksum } });
    assert.deepEqual(cursor.step(), { kind: 'snapshot', database: 'a.db' });
    // Made for another peer, before the transactions 2 and 3.
    cursor.tookSnapshot('a.db', old, 1);
    assert.deepEqual(stepsOf(peer, cursor), ['b.db 1', 'a.db 2', 'b.db 2', 'b.db 3', 'a.db 3']);
  });

  test('names a database once that never was here, and sends it when it comes to be', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db');
    const ghost: Position = { txid: toTxid(3), checksum: peer.stands()['a.db']!.checksum };
    const cursor = peer.follow({ 'ghost.db': ghost });
    assert.deepEqual(stepsOf(peer, cursor), ['unknown ghost.db', 'a.db 1']);
    commit(peer.actor, 'ghost.db');
    assert.deepEqual(stepsOf(peer, cursor), ['ghost.db 1']);
  });

  test('gives only the databases that are asked for', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db', 'b.db', 'c.db', 'b.db');
    const from = { 'a.db': other(peer.stands()['a.db']!) };
    assert.deepEqual(stepsOf(peer, peer.follow(from, new Set(['b.db']))), ['b.db 1', 'b.db 2']);
  });

  test('drops what was dropped, wherever the peer stands', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db', 'b.db');
    const from = peer.stands();
    const live = peer.follow(from);
    peer.actor.drop('a.db');
    assert.deepEqual(stepsOf(peer, live), ['a.db 2 dropped']);
    assert.deepEqual(stepsOf(peer, peer.follow(from)), ['a.db 2 dropped']);
    const ahead = { ...from, 'a.db': { ...from['a.db']!, txid: toTxid(5) } };
    assert.deepEqual(stepsOf(peer, peer.follow(ahead)), ['a.db 1-2 dropped']);
    const diverged = { ...from, 'a.db': other(from['a.db']!) };
    assert.deepEqual(stepsOf(peer, peer.follow(diverged)), ['a.db 1-2 dropped']);
    const none = peer.follow({ 'b.db': from['b.db']! });
    assert.deepEqual(stepsOf(peer, none), []);
    commit(peer.actor, 'a.db');
    // It comes again with the transaction after the one that dropped it.
    assert.deepEqual(stepsOf(peer, live), ['a.db 3']);
    assert.deepEqual(stepsOf(peer, none), ['snapshot a.db 3']);
  });

  test('needs no snapshot of what was dropped before it could be taken', () => {
    const peer = new Peer();
    commit(peer.actor, 'a.db');
    const stands = peer.stands();
    const ahead = { 'a.db': { ...stands['a.db']!, txid: toTxid(5) } };
    const cursors = [peer.follow(ahead), peer.follow({ 'a.db': other(stands['a.db']!) })];
    for (const cursor of cursors) assert.equal(cursor.step().kind, 'snapshot');
    peer.actor.drop('a.db');
    for (const cursor of cursors) {
      cursor.cannotSnapshot('a.db');
      assert.deepEqual(stepsOf(peer, cursor), ['a.db 1-2 dropped']);
    }
  });

  test('sends the whole when the log was trimmed, also under a cursor', () => {
    const options = { retentionMs: 0, segmentBytes: 8192, checkpointBytes: 4096 };
    const peer = new Peer(options);
    commit(peer.actor, 'a.db', 'b.db');
    const from = peer.stands();
    const cursor = peer.follow(from);
    assert.deepEqual(stepsOf(peer, cursor), []);
    for (let n = 0; n < 30; n++) commit(peer.actor, 'a.db');
    peer.catalog.refresh();
    peer.node.pass(61_000);
    assert(peer.node.engine.log.published.firstLsn > 20, 'The log was not trimmed');
    assert.deepEqual(stepsOf(peer, cursor), ['snapshot a.db 31']);
    assert.deepEqual(stepsOf(peer, peer.follow(from)), ['snapshot a.db 31']);
  });

  test('gives transactions that are larger than a batch', () => {
    const inlineBytes = 8 * WINDOW_BYTES;
    const peer = new Peer({ seed: 2, inlineBytes, segmentBytes: 2 * inlineBytes });
    const { actor } = peer;
    commit(actor, 'small.db');
    const large = Array.from({ length: 600 }, () => new Uint8Array(4096).fill(7));
    actor.commit('large.db', 'delete', [actor.timeline.last.get('small.db')![0]!, ...large]);
    commit(actor, 'small.db');
    const expected = ['small.db 1', 'large.db 1', 'small.db 2'];
    assert.deepEqual(stepsOf(peer, peer.follow({})), expected);
  });

  test('gives a transaction that is beside the log as a file, in its place', () => {
    const peer = new Peer({ inlineBytes: 3000 });
    const { actor } = peer;
    actor.commit('a.db', 'delete');
    actor.copyIn('a.db');
    actor.commit('a.db', 'delete');
    const steps = stepsOf(peer, peer.follow({}));
    assert.deepEqual(
      steps.map((step) => step.replace('file ', '')),
      ['a.db 1', 'a.db 2', 'a.db 3'],
    );
    assert(
      steps.some((step) => step.startsWith('file ')),
      'None was large enough',
    );
  });

  test('needs the log from where the peer has said that it is', () => {
    const peer = new Peer();
    const cursor = peer.follow({});
    commit(peer.actor, 'a.db', 'a.db');
    stepsOf(peer, cursor);
    const first = peer.stands()['a.db']!;
    commit(peer.actor, 'b.db');
    stepsOf(peer, cursor);
    // It has never said anything: it is taken to have what was sent.
    assert.equal(cursor.neededLsn, 4);
    commit(peer.actor, 'a.db', 'b.db');
    stepsOf(peer, cursor);
    cursor.acknowledged('a.db', first);
    assert.equal(cursor.neededLsn, 3);
    cursor.acknowledged('b.db', peer.stands()['b.db']!);
    assert.equal(cursor.neededLsn, 6);
  });
});
