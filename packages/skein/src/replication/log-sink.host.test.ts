import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { EngineError } from '@skein/engine';
import { type Checksum, type Txid } from '@skein/ltx';
import { tempDir, type TestScope } from '@skein/testkit';

import { EngineLogSink } from './log-sink.ts';
import { type ReceivedBatch, unpackBatch } from './received-batch.ts';
import type { FileToReceive, MovedPositions, ReplicaThread } from './replica-thread.ts';

/** An engine that takes what a test lets it take. */
class FakeThread implements ReplicaThread {
  readonly batches: ReceivedBatch[] = [];
  readonly files: FileToReceive[] = [];
  move: (moved: MovedPositions) => void = () => {};
  failure: Error | undefined;
  #waiting: Array<() => void> = [];

  async receive(batch: ReceivedBatch): Promise<void> {
    this.batches.push(batch);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failure !== undefined) throw this.failure;
  }

  receiveFile(file: FileToReceive): Promise<void> {
    this.files.push(file);
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  onMoved(listener: (moved: MovedPositions) => void): void {
    this.move = listener;
  }

  finishAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const MIB = 1024 * 1024;
const at = (txid: number): { txid: Txid; checksum: Checksum } => ({
  txid: BigInt(txid) as Txid,
  checksum: 0x8000000000000000n as Checksum,
});

function make(t: TestScope): { thread: FakeThread; sink: EngineLogSink; scratch: string } {
  const thread = new FakeThread();
  const scratch = join(tempDir(t), 'scratch');
  return { thread, sink: new EngineLogSink({ thread, scratchFolder: scratch }), scratch };
}

/** Lets everything happen that waits for nothing but its turn. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('EngineLogSink', () => {
  test('tells where the databases stand, for the log and for readers', (t) => {
    const { thread, sink } = make(t);
    let told = 0;
    const end = sink.onApplied(() => told++);
    thread.move({ durable: [{ database: 'a.db', ...at(3) }], applied: [] });
    assert.deepEqual([...sink.positions()], [['a.db', at(3)]]);
    assert.equal(sink.appliedPositions().size, 0);
    assert.equal(told, 0);
    thread.move({ durable: [], applied: [{ database: 'a.db', ...at(2) }] });
    assert.deepEqual([...sink.appliedPositions()], [['a.db', at(2)]]);
    assert.equal(told, 1);
    end();
    thread.move({ durable: [], applied: [{ database: 'a.db', ...at(3) }] });
    assert.equal(told, 1);
  });

  test('keeps the order, and no more under way than it may', async (t) => {
    const { thread, sink } = make(t);
    const large = new Uint8Array(20 * MIB);
    const received = [1, 2, 3].map((epoch) =>
      sink.receive([{ database: 'a.db', epoch, bytes: large }]),
    );
    await settle();
    assert.equal(thread.batches.length, 1);
    for (let n = 0; n < 3; n++) {
      thread.finishAll();
      await settle();
    }
    await Promise.all(received);
    const epochs = thread.batches.map((batch) => unpackBatch(batch)[0]!.epoch);
    assert.deepEqual(epochs, [1, 2, 3]);
  });

  test('says in the words of streams why something was not taken', async (t) => {
    const { thread, sink } = make(t);
    thread.failure = new EngineError('EPOCH_TOO_LOW', 'Epoch 3 is over', { hint: 'Look' });
    const received = sink.receive([{ database: 'a.db', epoch: 3, bytes: new Uint8Array(1) }]);
    await settle();
    thread.finishAll();
    await assert.rejects(received, {
      name: 'ReplicationError',
      code: 'STALE_EPOCH',
      message: 'Epoch 3 is over',
      hint: 'Look',
    });
    thread.failure = new Error('No space left');
    const next = sink.receive([{ database: 'a.db', epoch: 3, bytes: new Uint8Array(1) }]);
    await settle();
    thread.finishAll();
    await assert.rejects(next, { code: 'RECEIVE_FAILED' });
  });

  test('hands a file over when it is whole', async (t) => {
    const { thread, sink } = make(t);
    const file = await sink.receiveFile('a.db', 7, 'snapshot-1');
    assert.equal(file.offset, 0);
    await file.write(Uint8Array.of(1, 2));
    await file.write(Uint8Array.of(3));
    await file.finish();
    const [{ database, epoch, path }] = thread.files as [FileToReceive];
    assert.deepEqual({ database, epoch }, { database: 'a.db', epoch: 7 });
    assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
    assert.equal(sink.resumable(), undefined);
  });

  test('goes on with a file whose stream broke, and forgets it for another', async (t) => {
    const { thread, sink, scratch } = make(t);
    const first = await sink.receiveFile('a.db', 7, 'snapshot-1');
    await first.write(Uint8Array.of(1, 2));
    first.interrupt();
    assert.deepEqual(sink.resumable(), { id: 'snapshot-1', offset: 2 });

    const again = await sink.receiveFile('a.db', 7, 'snapshot-1');
    assert.equal(again.offset, 2);
    await again.write(Uint8Array.of(3));
    again.interrupt();

    const other = await sink.receiveFile('a.db', 7, 'snapshot-2');
    assert.equal(other.offset, 0);
    assert.equal(readdirSync(scratch).length, 1);
    await other.write(Uint8Array.of(9));
    await other.finish();
    assert.deepEqual([...readFileSync(thread.files[0]!.path)], [9]);
  });

  test('leaves nothing behind of a file that the engine refuses', async (t) => {
    const { thread, sink, scratch } = make(t);
    thread.failure = new EngineError('RECEIVED_CORRUPT', 'A checksum is wrong');
    const file = await sink.receiveFile('a.db', 7, 'snapshot-1');
    await file.write(Uint8Array.of(1));
    await assert.rejects(file.finish(), { code: 'STREAM_MALFORMED' });
    assert.deepEqual(readdirSync(scratch), []);
    assert.equal(sink.resumable(), undefined);
  });

  test('closes what was left of a file', async (t) => {
    const { sink, scratch } = make(t);
    const file = await sink.receiveFile('a.db', 7, 'snapshot-1');
    file.interrupt();
    await sink.close();
    assert.deepEqual(readdirSync(scratch), []);
  });
});
