// Tells subscribers of GET /events of every transaction that becomes durable here. The log is
// followed only while there are any.

import type { LogCursor, LogItem, LogSource, SentTransaction } from '@skein/cluster';
import type { Log } from '@skein/host';
import {
  type Checksum,
  decodeHeader,
  decodeTrailer,
  formatChecksum,
  formatTxid,
  TRAILER_SIZE,
} from '@skein/ltx';

import type { EventHub } from '../api/events.ts';

export interface TransactionEventsOptions {
  readonly hub: EventHub;
  /** Opens it for the first subscriber. */
  readonly source: () => Promise<LogSource>;
  readonly log: Log;
}

export class TransactionEvents {
  readonly #options: TransactionEventsOptions;
  #following: AbortController | undefined;
  #isClosed = false;

  constructor(options: TransactionEventsOptions) {
    this.#options = options;
    options.hub.onCount((count) => this.#adjust(count));
  }

  close(): void {
    this.#isClosed = true;
    this.#adjust(0);
  }

  #adjust(count: number): void {
    if (count === 0 || this.#isClosed) {
      this.#following?.abort();
      this.#following = undefined;
    } else if (this.#following === undefined) {
      this.#following = new AbortController();
      void this.#follow(this.#following.signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let cursor: LogCursor | undefined;
    try {
      const source = await this.#options.source();
      if (signal.aborted) return;
      cursor = source.follow(new Map(source.positions()));
      while (!signal.aborted) this.#tell(await cursor.next(signal), cursor);
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.warn('Events of transactions end', { error: String(error) });
      // Who listens is not to believe that nothing happens any more.
      this.#options.hub.close();
    } finally {
      cursor?.close();
    }
  }

  #tell(item: LogItem, cursor: LogCursor): void {
    if (item.kind === 'file') {
      const { database, position } = item.file;
      cursor.acknowledged(database, position);
      item.file.release();
    }
    if (item.kind !== 'transactions') return;
    for (const transaction of item.transactions) {
      this.#publish(transaction);
      const { database, maxTxid: txid, bytes } = transaction;
      cursor.acknowledged(database, { txid, checksum: checksumOf(bytes) });
    }
  }

  #publish({ database, maxTxid, bytes }: SentTransaction): void {
    const { pageSize, commit, timestampMs } = decodeHeader(bytes);
    this.#options.hub.publish({
      type: 'tx',
      db: database,
      data: {
        txID: formatTxid(maxTxid),
        postApplyChecksum: formatChecksum(checksumOf(bytes)),
        pageSize,
        commit,
        timestamp: new Date(timestampMs).toISOString(),
      },
    });
  }
}

function checksumOf(ltx: Uint8Array): Checksum {
  return decodeTrailer(ltx, ltx.length - TRAILER_SIZE).postApplyChecksum;
}
