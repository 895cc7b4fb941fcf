// The size of a WAL as the kernel is told it: with zeros ahead of its writer it must never fall,
// for what lies behind it the kernel forgets, also what another client is just writing.

import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import type { ContentPiece, MountFile } from '@skein/engine';

import { type MountNode, Nodes } from './nodes.ts';
import type { Notifiers } from './notifiers.ts';
import { readBehind, shownWalBytes, WalPages, walWasCut } from './wal-pages.ts';

const NAME = 'a.db-wal';
const FRAME_BYTES = 24 + 4096;

/** What the kernel is given, and whether it is being told to forget. */
class FakeNotifiers implements Pick<Notifiers, 'store' | 'isForgetting'> {
  readonly stored: ContentPiece[] = [];
  isBusy = false;

  isForgetting(): boolean {
    return this.isBusy;
  }

  store(_name: string, pieces: readonly ContentPiece[], done?: () => void): void {
    this.stored.push(...pieces);
    done?.();
  }

  get storedEnd(): number {
    return Math.max(0, ...this.stored.map(({ offset, bytes }) => offset + bytes.length));
  }
}

suite('The size of a WAL', () => {
  let file: { sizeBytes: number };
  let node: MountNode;
  let notifiers: FakeNotifiers;
  let pages: WalPages;

  const write = (end: number): void => {
    file.sizeBytes = Math.max(file.sizeBytes, end);
    pages.prepareBehind(node, end);
  };

  beforeEach(() => {
    file = { sizeBytes: 0 };
    node = new Nodes().lookUp(NAME, file as MountFile, 0);
    notifiers = new FakeNotifiers();
    pages = new WalPages(notifiers);
  });

  test('reaches as far as the zeros that the kernel was given', () => {
    write(32);
    assert(notifiers.storedEnd > 32);
    assert.equal(shownWalBytes(node), notifiers.storedEnd);
  });

  test('never falls while frames are written and the file begins anew', () => {
    let shown = 0;
    const check = (): void => {
      const now = shownWalBytes(node);
      assert(now >= Math.max(shown, notifiers.storedEnd, file.sizeBytes));
      shown = now;
    };
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 300; n += 1) {
        write(32 + n * FRAME_BYTES);
        if (n % 7 === 0) check();
      }
      // As the engine does it when a database is replaced.
      file.sizeBytes = 0;
      check();
    }
  });

  test('counts what was written while no zeros could be put', () => {
    notifiers.isBusy = true;
    write(1_000_000);
    file.sizeBytes = 0;
    assert.equal(shownWalBytes(node), 1_000_000);
  });

  test('is what a client cuts the file to', () => {
    write(100_000);
    file.sizeBytes = 0;
    walWasCut(node, 0);
    assert.equal(shownWalBytes(node), 0);
    const before = notifiers.stored.length;
    write(32);
    assert(notifiers.stored.length > before, 'Zeros are put again');
  });

  test('is as far as zeros are read behind the true end', () => {
    write(32);
    const shown = shownWalBytes(node);
    const into = new Uint8Array(100).fill(7);
    assert.equal(readBehind(node, into, 32), 100);
    assert.deepEqual(into, new Uint8Array(100));
    assert.equal(readBehind(node, into, shown - 10), 10);
    assert.equal(readBehind(node, into, shown), 0);
    assert.equal(readBehind(node, into, shown + 10), 0);
  });
});
