// Transactions on their way to the thread of the engine: one piece of memory, which changes hands
// without being copied, and what lies where in it.

import type { ReceivedTransaction } from '@skein/cluster';

export interface ReceivedBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly entries: readonly BatchEntry[];
}

interface BatchEntry {
  readonly database: string;
  readonly epoch: number;
  readonly start: number;
  readonly length: number;
}

/** Copies: what comes in is part of larger memory, which its owner goes on using. */
export function packBatch(transactions: readonly ReceivedTransaction[]): ReceivedBatch {
  const total = transactions.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const packed = new Uint8Array(total);
  let start = 0;
  const entries = transactions.map(({ database, epoch, bytes }) => {
    packed.set(bytes, start);
    const entry = { database, epoch, start, length: bytes.length };
    start += bytes.length;
    return entry;
  });
  return { bytes: packed, entries };
}

export function unpackBatch({ bytes, entries }: ReceivedBatch): ReceivedTransaction[] {
  return entries.map(({ database, epoch, start, length }) => ({
    database,
    epoch,
    bytes: bytes.subarray(start, start + length),
  }));
}
