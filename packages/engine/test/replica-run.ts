// Feeds a replica with what a primary has committed, with readers that come, stay and go, and
// compares what they see with what the primary had.

import assert from 'node:assert/strict';

import type { SeededRandom, SimDisk } from '@skein/testkit';

import type { Reception } from '../src/replica/replica.ts';
import { ReplicaReader } from './replica-reader.ts';
import { equalPages, type Pages } from './sample-database.ts';
import type { SentLtx } from './sent-ltx.ts';
import { SimNode, type SimNodeOptions } from './sim-node.ts';

export function openReplica(disk: SimDisk, options: SimNodeOptions = {}): SimNode {
  return new SimNode({ disk, role: 'replica', ...options });
}

/** Hands transactions over, and waits until those that were taken are durable. */
export function receive(node: SimNode, sent: readonly SentLtx[]): Reception {
  const job = node.engine.replica!.receive(sent);
  let reception: Reception | undefined;
  node.answer(() =>
    node.engine.run(
      (function* () {
        reception = yield* job;
      })(),
    ),
  );
  assert(reception !== undefined, 'A reception has no end');
  return reception;
}

/** The same of a file; throws what it was refused for. */
export function receiveFile(node: SimNode, sent: SentLtx): void {
  const path = `${node.engine.folder.scratch}/received-${node.newNonce()}`;
  const file = node.disk.open('test.received', path, 'create');
  file.write('test.received', sent.bytes, 0, sent.bytes.length, 0);
  file.close();
  const { database, epoch } = sent;
  node.answer(() => node.engine.run(node.engine.replica!.receiveFile({ database, epoch, path })));
}

/** The first page as a replica shows it. */
export function shown(pages: Pages): Pages {
  if (pages.length === 0) return pages;
  const first = pages[0]!.slice();
  for (const at of [18, 19]) if (first[at] === 1) first[at] = 2;
  return [first, ...pages.slice(1)];
}

/** What the primary had at the position where readers of `name` are. */
export function expectedPages(node: SimNode, history: readonly SentLtx[], name: string): Pages {
  const position = node.engine.replica!.appliedPositions().get(name);
  if (position === undefined) return [];
  const sent = history.find((ltx) => ltx.database === name && ltx.txid === position.txid);
  assert(sent !== undefined, `${name} shows a transaction that never was`);
  return sent.pages;
}

/** Every database, read by somebody who begins now. */
export function checkReaders(node: SimNode, history: readonly SentLtx[]): void {
  for (const name of new Set(history.map(({ database }) => database))) {
    const expected = expectedPages(node, history, name);
    const isThere = node.engine.store.findDatabase(name) !== undefined;
    assert.equal(isThere, expected.length > 0, `${name}: its name`);
    if (!isThere) continue;
    const reader = new ReplicaReader(node, name);
    reader.begin();
    assert(equalPages(reader.pages(), shown(expected)), `${name}: a reader that begins`);
    reader.close();
  }
}

/** Readers that stay for a while; each must see what it has seen first. */
export class HeldReaders {
  readonly #node: SimNode;
  readonly #random: SeededRandom;
  readonly #held: { readonly reader: ReplicaReader; readonly pages: Pages }[] = [];

  constructor(node: SimNode, random: SeededRandom) {
    this.#node = node;
    this.#random = random;
  }

  /** Lets some come and some go. */
  turn(history: readonly SentLtx[]): void {
    const names = [...this.#node.engine.store.databases]
      .map(({ name }) => name)
      .filter((name) => this.#node.engine.store.findDatabase(name) !== undefined);
    if (names.length > 0 && this.#held.length < 3 && this.#random.bool(0.4)) {
      const name = this.#random.pick(names);
      const reader = new ReplicaReader(this.#node, name);
      if (!reader.hasIndex) return reader.close();
      reader.begin();
      const pages = shown(expectedPages(this.#node, history, name));
      this.#held.push({ reader, pages });
    }
    this.check();
    if (this.#held.length > 0 && this.#random.bool(0.3)) {
      const [ended] = this.#held.splice(this.#random.int(0, this.#held.length - 1), 1);
      ended!.reader.close();
    }
  }

  check(): void {
    for (const { reader, pages } of this.#held) {
      assert(equalPages(reader.pages(), pages), `${reader.name}: a reader loses its snapshot`);
    }
  }

  close(): void {
    for (const { reader } of this.#held.splice(0)) reader.close();
  }
}
