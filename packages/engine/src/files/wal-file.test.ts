import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  encodeWalHeader,
  WAL_FRAME_HEADER_SIZE,
  WalChain,
  walFrameOffset,
} from '@skein/sqlite-file';
import { POWER_CUT_MODES, SeededRandom } from '@skein/testkit';

import { checkChecksums, readState } from '../../test/inspect.ts';
import { commitRollback } from '../../test/rollback-client.ts';
import {
  bytesOf,
  changedPages,
  equalPages,
  inMode,
  type Pages,
  samplePages,
} from '../../test/sample-database.ts';
import { SimNode, type SimNodeOptions } from '../../test/sim-node.ts';
import { OWNER, SqliteClient } from '../../test/sqlite-client.ts';
import { WalClient } from '../../test/wal-client.ts';

const NAME = 'app.db';
const SYNCED = { syncs: true } as const;

interface Setup {
  readonly random: SeededRandom;
  readonly node: SimNode;
  readonly wal: WalClient;
  readonly first: Pages;
}

function setUp(options: SimNodeOptions = {}): Setup {
  const random = new SeededRandom(11);
  const node = new SimNode(options);
  const first = inMode(samplePages(random, 512, 8), 'wal');
  commitRollback(new SqliteClient(node, NAME), first, { end: 'delete' });
  return { random, node, first, wal: new WalClient(new SqliteClient(node, NAME), random) };
}

/** The database with page `pgno` filled with one byte. */
function withPage(pages: Pages, pgno: number, byte: number): Pages {
  return pages.map((page, n) => (n === pgno - 1 ? new Uint8Array(page.length).fill(byte) : page));
}

/** Fails unless a node that starts now finds `expected`, however the power goes out. */
function checkRecovery(node: SimNode, expected: Pages): void {
  for (const mode of POWER_CUT_MODES) {
    const disk = node.disk.powerCut(new SeededRandom(1), mode);
    const next = node.reopen(disk, { retentionMs: 0 });
    assert(equalPages(readState(next).get(NAME), expected), `power cut, ${mode}`);
    checkChecksums(next);
  }
}

describe('WalFile', () => {
  test('keeps what a reader of an old snapshot sees across commits and checkpoints', () => {
    const { random, node, wal, first } = setUp({ retentionMs: 0, checkpointBytes: 4096 });
    const states = [first];
    for (let n = 0; n < 30; n++) {
      states.push(changedPages(random, states.at(-1)!));
      wal.commit(states.at(-1)!, SYNCED);
      if (n === 9) break;
    }
    const mark = wal.readMark();
    const seen = states.at(-1)!;
    for (let n = 0; n < 12; n++) {
      states.push(changedPages(random, states.at(-1)!));
      wal.commit(states.at(-1)!, { syncs: true, keepsWal: true });
      // SQLite's checkpoint goes no further than the reader; then the node's own, and trimming.
      wal.checkpoint(mark.mxFrame);
      node.pass(61_000);
      assert(equalPages(wal.pages(mark), seen), `after commit ${n}`);
      checkRecovery(node, states.at(-1)!);
    }
    wal.checkpoint();
    node.pass(61_000);
    checkRecovery(node, states.at(-1)!);
  });

  test('takes no older page from a checkpoint after one that went further and died', () => {
    const { node, wal, first } = setUp();
    const versions = [1, 2, 3].map((byte) => withPage(first, 5, byte));
    for (const pages of versions) wal.commit(pages, { syncs: true, keepsWal: true });
    const last = versions.at(-1)!;
    // The whole WAL is copied, but the wal-index does not say so.
    wal.client.writePage(5, last[4]!);
    node.pass(61_000);
    wal.checkpoint(2);
    node.pass(61_000);
    checkRecovery(node, last);
    wal.checkpoint();
    assert(equalPages(wal.client.pages(), last));
  });

  test('tells a page that is again what it was from the one before', () => {
    const { node, wal, first } = setUp();
    const versions = [1, 2, 1].map((byte) => withPage(first, 5, byte));
    for (const pages of versions) wal.commit(pages, { syncs: true, keepsWal: true });
    wal.checkpoint(1);
    node.pass(61_000);
    checkRecovery(node, versions[2]!);
    wal.checkpoint(2);
    node.pass(61_000);
    checkRecovery(node, versions[2]!);
    wal.checkpoint(3);
    node.pass(61_000);
    checkRecovery(node, versions[2]!);
  });

  test('is done with pages that a transaction took and gave back', () => {
    const { node, wal, first } = setUp();
    const { client } = wal;
    const header = writeHeader(wal);
    const chain = new WalChain(header);
    // Spilled before the transaction gave the page back, as SQLite does.
    writeFrame(wal, chain, { frame: 1, pgno: 20, page: first[3]!, commit: 0 });
    writeFrame(wal, chain, { frame: 2, pgno: 2, page: first[3]!, commit: first.length });
    client.sync(wal.wal);
    client.writePage(2, first[3]!);
    const { database } = node.engine.store.findDatabase(NAME)!;
    assert.equal(database.fileState.lsn, database.state.lsn);
  });

  test('commits frames whose headers are corrected after the commit frame was written', () => {
    const { node, wal, first } = setUp();
    const header = writeHeader(wal);
    const wrong = new WalChain(header);
    const page = new Uint8Array(512).fill(9);
    writeFrame(wal, wrong, { frame: 1, pgno: 3, page, commit: 0 });
    writeFrame(wal, wrong, { frame: 2, pgno: 4, page, commit: 0 });
    // Page 3 is written again, over its frame: its checksum and all behind it are wrong until then.
    const other = new Uint8Array(512).fill(8);
    const at = walFrameOffset(1, 512) + WAL_FRAME_HEADER_SIZE;
    wal.client.write(wal.wal, other, at);
    const lsn = node.engine.log.lastLsn;
    writeFrame(wal, wrong, { frame: 3, pgno: 5, page, commit: first.length });
    assert.equal(node.engine.log.lastLsn, lsn, 'A commit whose checksums are wrong');
    const right = new WalChain(header);
    for (const [n, pgno] of [3, 4, 5].entries()) {
      const frame = sealed(right, { pgno, page: n === 0 ? other : page, commit: n === 2 ? 8 : 0 });
      const headerOnly = frame.subarray(0, WAL_FRAME_HEADER_SIZE);
      wal.client.write(wal.wal, headerOnly, walFrameOffset(n + 1, 512));
    }
    assert.equal(node.engine.log.lastLsn, lsn + 1);
    const expected = first.map((own, n) => (n === 2 ? other : n === 3 || n === 4 ? page : own));
    assert(equalPages(readState(node).get(NAME), expected));
  });

  test('refuses to have committed frames overwritten by who does not know of them', () => {
    const { random, node, wal, first } = setUp();
    const next = changedPages(random, first);
    wal.commit(next, { syncs: true, diesBeforeIndex: true });
    const later = changedPages(random, next);
    wal.commit(changedPages(random, later), SYNCED);
    const at = walFrameOffset(1, 512) + WAL_FRAME_HEADER_SIZE;
    const write = (): void => wal.client.write(wal.wal, new Uint8Array(512), at);
    assert.throws(write, { code: 'WAL_BEHIND_LOG' });
    assert.throws(() => wal.client.truncate(wal.wal, 1000), { code: 'WAL_BEHIND_LOG' });
    checkChecksums(node);
  });

  test('lets a frame be written in two parts, the second of which stood there already', () => {
    const { node, wal, first } = setUp();
    const page = new Uint8Array(512).fill(9);
    const before = new WalChain(writeHeader(wal));
    writeFrame(wal, before, { frame: 1, pgno: 3, page, commit: first.length });
    // The WAL starts anew; its first frame differs from the old one in its first byte only.
    const changed = page.with(0, 1);
    const chain = new WalChain(writeHeader(wal, 2));
    const frame = sealed(chain, { pgno: 3, page: changed, commit: first.length });
    const at = walFrameOffset(1, 512);
    const lsn = node.engine.log.lastLsn;
    for (const [start, end] of [
      [0, 24],
      [24, 300],
      [300, frame.length],
    ] as const) {
      wal.client.write(wal.wal, frame.subarray(start, end), at + start);
    }
    assert.equal(node.engine.log.lastLsn, lsn + 1);
    const expected = first.map((own, n) => (n === 2 ? changed : own));
    assert(equalPages(readState(node).get(NAME), expected));
    checkChecksums(node);
  });

  test('refuses a WAL whose pages have another size, for it would never be in the log', () => {
    const { random, node, wal, first } = setUp();
    assert.throws(() => writeHeader(wal, 1, 1024), { code: 'IMAGE_PAGE_SIZE' });
    const fresh = new WalClient(new SqliteClient(node, NAME), random);
    const next = changedPages(random, first);
    fresh.commit(next, SYNCED);
    checkRecovery(node, next);
  });

  test('refuses checkpoints of pages that no transaction has', () => {
    const { wal, first, random } = setUp();
    wal.commit(changedPages(random, first), SYNCED);
    const write = (): void => wal.client.writePage(2, new Uint8Array(512).fill(77));
    assert.throws(write, { code: 'WRITE_NOT_IN_LOG' });
    const part = (): void => wal.client.write(wal.client.main, new Uint8Array(100), 600);
    assert.throws(part, { code: 'WRITE_NOT_IN_LOG' });
  });

  test('refuses a commit to a size that nothing supports, and forgets it', () => {
    const { random, node, wal, first } = setUp();
    const chain = new WalChain(writeHeader(wal));
    const lsn = node.engine.log.lastLsn;
    const frame = { frame: 1, pgno: 2, page: first[1]!, commit: 0x7fff_ffff };
    assert.throws(() => writeFrame(wal, chain, frame), { code: 'DATABASE_CORRUPT' });
    assert.equal(node.engine.log.lastLsn, lsn);
    const fresh = new WalClient(new SqliteClient(node, NAME), random);
    const next = changedPages(random, first);
    fresh.commit(next, SYNCED);
    assert(equalPages(fresh.pages(), next));
  });

  test('is not found by a recovery when its commit could not be logged', () => {
    const { random, node, wal, first } = setUp();
    node.disk.failAt({ n: 1, op: 'log.append', error: 'ENOSPC' });
    assert.throws(() => wal.commit(changedPages(random, first), SYNCED), { code: 'ENOSPC' });
    // The last connection is gone: the next one builds the index from the WAL.
    wal.client.remove(`${NAME}-shm`);
    const next = new WalClient(new SqliteClient(node, NAME), random);
    assert(equalPages(next.pages(), first));
  });

  test('takes in the WAL that was copied before its database', () => {
    const source = setUp();
    const next = changedPages(source.random, source.first);
    source.wal.commit(next, SYNCED);
    const walBytes = source.wal.client.read(source.wal.wal, 0, source.wal.wal.sizeBytes);

    const node = new SimNode();
    const { store } = node.engine;
    const wal = store.create(`${NAME}-wal`, 'write', OWNER);
    node.answer(() => wal.write(walBytes, 0, walBytes.length, 0));
    const main = store.create(NAME, 'write', OWNER);
    const bytes = bytesOf(source.first);
    node.answer(() => main.write(bytes, 0, bytes.length, 0));
    node.answer(() => main.flush(0));
    assert(equalPages(readState(node).get(NAME), next));
  });

  test('completes the database before its frames are written over with what is no WAL', () => {
    const { random, node, wal, first } = setUp();
    const next = changedPages(random, first);
    wal.commit(next, SYNCED);
    wal.client.write(wal.wal, new Uint8Array(wal.wal.sizeBytes).fill(7), 0);
    node.pass(61_000);
    checkRecovery(node, next);
  });

  test('completes the database when it is removed, and refuses what comes after', () => {
    const { random, node, wal, first } = setUp();
    const next = changedPages(random, first);
    wal.commit(next, SYNCED);
    wal.client.remove(`${NAME}-wal`);
    assert(equalPages(wal.client.pages(), next));
    assert.throws(() => wal.commit(changedPages(random, next), SYNCED), { code: 'WAL_BEHIND_LOG' });
    node.close();
  });
});

function writeHeader(wal: WalClient, salt1 = 1, pageSize = 512): WalChain['header'] {
  const header = {
    bigEndianChecksums: true,
    pageSize,
    checkpointSequence: 0,
    salt1,
    salt2: 2,
  };
  wal.client.write(wal.wal, encodeWalHeader(header), 0);
  return header;
}

interface FrameFields {
  readonly pgno: number;
  readonly page: Uint8Array;
  readonly commit: number;
}

function sealed(chain: WalChain, { pgno, page, commit }: FrameFields): Uint8Array {
  const bytes = new Uint8Array(WAL_FRAME_HEADER_SIZE + page.length);
  bytes.set(page, WAL_FRAME_HEADER_SIZE);
  chain.seal(new DataView(bytes.buffer), 0, pgno, commit);
  return bytes;
}

function writeFrame(
  wal: WalClient,
  chain: WalChain,
  fields: FrameFields & { readonly frame: number },
): void {
  wal.client.write(wal.wal, sealed(chain, fields), walFrameOffset(fields.frame, 512));
}
