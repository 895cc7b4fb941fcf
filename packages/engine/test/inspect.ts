// Looks at what a node has on its disk, and whether it agrees with itself.

import assert from 'node:assert/strict';

import { DatabaseChecksum, LtxReader, pageChecksum } from '@skein/ltx';
import type { SimDisk } from '@skein/testkit';

import type { Engine } from '../src/engine.ts';
import { recoverLog } from '../src/recovery/log-recovery.ts';
import { isEqual, type Pages } from './sample-database.ts';
import type { SimNode } from './sim-node.ts';
import { DATA_FOLDER } from './sim-node.ts';
import type { NodeState } from './timeline.ts';

/** What is committed, read as a client without a WAL would. */
export function readState(node: SimNode): NodeState {
  const found = new Map<string, Pages>();
  for (const files of node.engine.store.databases) {
    const { pageCount } = files.database.state;
    if (pageCount > 0) found.set(files.name, readCommitted(node.engine, files.name));
  }
  return found;
}

function readCommitted(engine: Engine, name: string): Pages {
  const { database } = engine.store.findDatabase(name)!;
  const { pageSize, pageCount } = database.state;
  return Array.from({ length: pageCount }, (_, n) => {
    const page = new Uint8Array(pageSize!);
    assert(database.readPage(n + 1, page), `${name} has no page ${n + 1}`);
    return page;
  });
}

/** Fails unless the checksums say what the pages are. */
export function checkChecksums(node: SimNode): void {
  for (const { name, database } of node.engine.store.databases) {
    const { pageCount, checksum } = database.state;
    if (pageCount === 0) continue;
    const sum = new DatabaseChecksum();
    for (const [n, page] of readCommitted(node.engine, name).entries()) {
      const own = pageChecksum(n + 1, page);
      const [hi, lo] = [Number(own >> 32n), Number(own & 0xffff_ffffn)];
      assert.equal(database.checksums.hi(n + 1), hi, `${name}: checksum of page ${n + 1}`);
      assert.equal(database.checksums.lo(n + 1), lo, `${name}: checksum of page ${n + 1}`);
      sum.toggle(hi, lo);
    }
    assert.equal(checksum, sum.value, `${name}: checksum of the database`);
  }
}

/**
 * Fails unless the log, replayed from its first record, gives this state. The disk is that of a
 * node that has ended, and nothing of its log was trimmed.
 */
export function checkReplay(disk: SimDisk, expected: NodeState): void {
  const databases = new Map<string, (Uint8Array | undefined)[]>();
  recoverLog({
    disk,
    folder: `${DATA_FOLDER}/log`,
    knownLsn: 0,
    isNeeded: () => true,
    onRecord: ({ transactions }) => {
      for (const { entry, source } of transactions) {
        const pages = databases.get(entry.database) ?? [];
        const reader = new LtxReader(source, { version: 1 });
        for (let page = reader.next(); page !== undefined; page = reader.next()) {
          const { start } = page;
          pages[page.pgno - 1] = page.bytes.slice(start, start + reader.header.pageSize);
        }
        pages.length = reader.header.commit;
        databases.set(entry.database, pages);
      }
    },
  });
  for (const [name, pages] of databases) {
    if (pages.length === 0) databases.delete(name);
  }
  assert.deepEqual(
    [...databases.keys()].sort(),
    [...expected.keys()].sort(),
    'Databases in the log',
  );
  for (const [name, pages] of expected) {
    const replayed = databases.get(name)!;
    assert.equal(replayed.length, pages.length, `${name}: pages in the log`);
    for (const [n, page] of pages.entries()) {
      const own = replayed[n];
      assert(own !== undefined && isEqual(own, page), `${name}: page ${n + 1} in the log`);
    }
  }
}
