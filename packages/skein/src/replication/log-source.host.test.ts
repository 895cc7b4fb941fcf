import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { describe, test } from 'node:test';

import type { LogCursor, LogItem, SentFile } from '@skein/cluster';
import { bytesSource, type Checksum, LtxReader, type Position, toTxid } from '@skein/ltx';

import { PrimaryEngine } from '../../test/primary-engine.ts';

const never = new AbortController().signal;

function next(cursor: LogCursor): Promise<LogItem> {
  return cursor.next(never);
}

async function nextFile(cursor: LogCursor): Promise<SentFile> {
  const item = await next(cursor);
  assert(item.kind === 'file', `${item.kind} instead of a file`);
  return item.file;
}

/** `meanwhile` is called after each piece. */
async function readAll(file: SentFile, offset = 0, meanwhile = (): void => {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read(offset)) {
    pieces.push(piece.slice());
    meanwhile();
  }
  return Buffer.concat(pieces);
}

/** Where a whole LTX file leads; fails unless it is right to the last byte. */
function verify(bytes: Uint8Array): { readonly minTxid: bigint; readonly position: Position } {
  const reader = new LtxReader(bytesSource(bytes), { version: 1 });
  while (reader.next() !== undefined);
  assert.equal(reader.sizeBytes, bytes.length);
  const { minTxid, maxTxid } = reader.header;
  return { minTxid, position: { txid: maxTxid, checksum: reader.trailer.postApplyChecksum } };
}

const TABLE = 'CREATE TABLE t(x); INSERT INTO t VALUES (randomblob(3000))';
const INSERT = 'INSERT INTO t VALUES (randomblob(3000))';
const LARGE = 'INSERT INTO t VALUES (randomblob(6000000))';

const ELSEWHERE: Position = { txid: toTxid(99), checksum: (1n << 63n) as Checksum };

describe('EngineLogSource', () => {
  test('gives what is durable as soon as it is, and says once that there is no more', async (t) => {
    const primary = new PrimaryEngine(t);
    primary.commit('a.db', TABLE);
    const source = await primary.openSource();
    const cursor = source.follow(new Map());
    const first = await next(cursor);
    assert.equal(first.kind, 'transactions');
    assert.deepEqual(await next(cursor), { kind: 'caught-up' });
    const waiting = next(cursor);
    assert.equal(await Promise.race([waiting, setTimeout(50, 'waits')]), 'waits');
    primary.commit('a.db', INSERT);
    const item = await waiting;
    assert(item.kind === 'transactions');
    const [transaction] = item.transactions;
    const { database } = primary.engine.store.findDatabase('a.db')!;
    const { txid, checksum } = database.state;
    assert.deepEqual(verify(transaction!.bytes), { minTxid: 2n, position: { txid, checksum } });
    assert.equal(transaction!.epoch, primary.engine.epoch);
    assert.deepEqual(source.positions().get('a.db'), { txid, checksum });
    // Nothing of this went to the engine's thread but the question where the databases stand.
    assert.equal(primary.callCount, 1);
    await source.close();
  });

  test('sends a snapshot while it is written, and goes on with the log behind it', async (t) => {
    const primary = new PrimaryEngine(t);
    primary.commit('a.db', TABLE);
    primary.commit('a.db', LARGE);
    const source = await primary.openSource();
    const cursor = source.follow(new Map([['a.db', ELSEWHERE]]));
    const { published } = primary.engine.log;
    const file = await nextFile(cursor);
    assert.equal(published.pinnedLsn, 3);
    const resting = primary.rest();
    primary.commit('a.db', INSERT);
    const bytes = await readAll(file);
    await resting;
    const { position } = file;
    assert.deepEqual(verify(bytes), { minTxid: 1n, position });
    assert.equal(file.maxTxid, 2n);
    file.release();
    assert.equal(published.pinnedLsn, 0);
    const item = await next(cursor);
    assert(item.kind === 'transactions');
    assert.equal(item.transactions[0]!.minTxid, 3n);
    await source.close();
    assert.equal(published.neededLsn, 0);
  });

  test('goes on with a snapshot whose transfer broke off', async (t) => {
    const primary = new PrimaryEngine(t);
    primary.commit('a.db', TABLE);
    primary.commit('a.db', LARGE);
    const source = await primary.openSource();
    const from = new Map([['a.db', ELSEWHERE]]);
    const first = source.follow(from);
    const broken = await nextFile(first);
    const resting = primary.rest();
    const pieces: Uint8Array[] = [];
    for await (const piece of broken.read(0)) if (pieces.push(piece.slice()) === 3) break;
    const had = Buffer.concat(pieces);
    first.close();
    await resting;
    const resume = { id: broken.id, offset: had.length };
    const second = source.follow(from, { resume });
    const file = await nextFile(second);
    assert.equal(file.id, broken.id);
    const rest = await readAll(file, had.length);
    assert.deepEqual(verify(Buffer.concat([had, rest])).position, file.position);
    file.release();
    await source.close();
  });

  test('sends a transaction that is beside the log as a file, as often as it must', async (t) => {
    const primary = new PrimaryEngine(t, { inlineBytes: 100_000 });
    primary.commit('a.db', TABLE);
    const source = await primary.openSource();
    const cursor = source.follow(source.positions());
    assert.deepEqual(await next(cursor), { kind: 'caught-up' });
    const from = new Map(source.positions());
    primary.commit('a.db', LARGE);
    const file = await nextFile(cursor);
    const bytes = await readAll(file);
    assert.deepEqual(verify(bytes), { minTxid: 2n, position: file.position });
    const again = await nextFile(source.follow(from));
    assert.equal(again.id, file.id);
    assert.deepEqual(await readAll(again, 1_000_000), bytes.subarray(1_000_000));
    await source.close();
  });

  test('ends a wait when it is aborted, and all of them when it is closed', async (t) => {
    const primary = new PrimaryEngine(t);
    primary.commit('a.db', TABLE);
    const source = await primary.openSource();
    const cursors = [1, 2].map(() => source.follow(source.positions()));
    for (const cursor of cursors) assert.equal((await next(cursor)).kind, 'caught-up');
    const abort = new AbortController();
    const aborted = cursors[0]!.next(abort.signal);
    const closed = next(cursors[1]!);
    abort.abort(new Error('The stream is gone'));
    await assert.rejects(aborted, /The stream is gone/u);
    await Promise.all([assert.rejects(closed), source.close()]);
  });

  test('asks the engine anew when the log was trimmed past what it knows', async (t) => {
    const options = { segmentBytes: 65_536, retentionMs: 0, retentionBytesMax: 0 };
    const primary = new PrimaryEngine(t, options);
    primary.commit('a.db', TABLE);
    const source = await primary.openSource();
    const from = new Map(source.positions());
    const cursor = source.follow(from);
    assert.equal((await next(cursor)).kind, 'caught-up');
    // The event loop does not turn meanwhile: nobody follows.
    for (let n = 0; n < 60; n++) primary.commit('a.db', INSERT);
    primary.engine.log.published.hold(0, 0);
    primary.engine.checkpointAll();
    const { callCount } = primary;
    const file = await nextFile(cursor);
    const resting = primary.rest();
    const { position } = verify(await readAll(file));
    await resting;
    assert.deepEqual(position, source.positions().get('a.db'));
    assert.equal(primary.callCount, callCount + 2, 'Where they stand, and the snapshot');
    await source.close();
  });
});
