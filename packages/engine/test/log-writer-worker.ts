// A thread that writes a log as the engine's thread does, as fast as it can: for tests of those who
// follow it from another thread.

import { parentPort, workerData } from 'node:worker_threads';

import { NodeBackgroundIo, nodeDisk, systemClock } from '@skein/host';
import { RecordingLog } from '@skein/testkit';

import { TransactionLog } from '../src/log/transaction-log.ts';
import { OnePage } from './one-page.ts';

export interface LogWriterData {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly count: number;
  /** Trimmed to this whenever so many transactions more have been written. */
  readonly trimEvery: number;
  readonly bytesMax: number;
  /** Transactions between two syncs. */
  readonly syncEvery: number;
  /** Other databases that share the log. */
  readonly databases: readonly string[];
}

const data = workerData as LogWriterData;
const port = parentPort!;
const background = new NodeBackgroundIo();
nodeDisk.makeDirectory('test', data.folder);
const log = new TransactionLog(
  {
    disk: nodeDisk,
    background,
    clock: systemClock,
    log: new RecordingLog(),
    folder: data.folder,
    segmentBytes: data.segmentBytes,
  },
  { segments: [], next: { offset: 4096, lsn: 1, link: 0n }, lastSequence: 0 },
);
port.once('message', () => {
  const databases = data.databases.map((name) => new OnePage(name));
  for (let n = 1; n <= data.count; n++) {
    log.append(1, [databases[n % databases.length]!.next()]);
    if (n % data.syncEvery === 0) log.sync();
    if (n % data.trimEvery === 0 && n < data.count) {
      background.drain();
      const { durableLsn: coveredLsn } = log;
      log.trim({ coveredLsn, beforeMs: Infinity, bytesMax: data.bytesMax, keepsPinned: false });
    }
  }
  log.sync();
  background.settle();
  background.close();
  log.close();
  port.postMessage('done');
});
port.postMessage(log.published.memory);
