import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { LogCursor, LogItem, LogSource, SentFile } from '@skein/cluster';
import {
  formatChecksum,
  formatTxid,
  LtxEncoder,
  makeHeader,
  pageChecksum,
  type Position,
  toTxid,
} from '@skein/ltx';
import { RecordingLog } from '@skein/testkit';

import { EventHub, type NodeEvent } from '../api/events.ts';
import { TransactionEvents } from './transaction-events.ts';

const PAGE_SIZE = 512;
const PAGE = new Uint8Array(PAGE_SIZE).fill(7);
const CHECKSUM = pageChecksum(1, PAGE);
const FIRST: NodeEvent = { type: 'init', data: { isPrimary: true, role: 'primary', epoch: 1 } };

/** The first transaction of a database of one page. */
function transactionOf(database: string): LogItem {
  const parts: Uint8Array[] = [];
  const [minTxid, maxTxid] = [toTxid(1), toTxid(1)];
  const encoder = new LtxEncoder(
    (bytes, start, end) => parts.push(bytes.slice(start, end)),
    makeHeader({ pageSize: PAGE_SIZE, commit: 1, minTxid, maxTxid, timestampMs: 1000 }),
  );
  encoder.writePage(1, PAGE);
  encoder.finish(CHECKSUM);
  const bytes = Buffer.concat(parts);
  const transaction = { database, minTxid, maxTxid, epoch: 1, timestampMs: 1000, bytes };
  return { kind: 'transactions', transactions: [transaction] };
}

/** A log that gives what the test puts in. */
class FakeLog implements LogSource {
  readonly acknowledged: [database: string, position: Position][] = [];
  followed = 0;
  open = 0;
  #next = Promise.withResolvers<LogItem>();

  put(item: LogItem): Promise<void> {
    this.#next.resolve(item);
    this.#next = Promise.withResolvers();
    return settled();
  }

  fail(error: Error): Promise<void> {
    this.#next.reject(error);
    return settled();
  }

  positions(): ReadonlyMap<string, Position> {
    return new Map();
  }

  follow(): LogCursor {
    this.followed += 1;
    this.open += 1;
    return {
      next: (signal) => {
        const { promise } = this.#next;
        const left = new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return Promise.race([promise, left]);
      },
      acknowledged: (database, position) => void this.acknowledged.push([database, position]),
      close: () => {
        this.open -= 1;
      },
    };
  }
}

async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

function setUp() {
  const hub = new EventHub();
  const source = new FakeLog();
  const log = new RecordingLog();
  const events = new TransactionEvents({ hub, source: () => Promise.resolve(source), log });
  const lines: string[] = [];
  let isCutOff = false;
  const listen = (): (() => void) =>
    hub.subscribe(
      {
        write: (line) => {
          lines.push(line);
          return 0;
        },
        end: () => {
          isCutOff = true;
        },
      },
      FIRST,
    );
  return { hub, source, log, events, lines, listen, isCutOff: () => isCutOff };
}

describe('TransactionEvents', () => {
  test('tells of each transaction what LiteFS tells of it', async () => {
    const { source, lines, listen } = setUp();
    listen();
    await settled();
    await source.put(transactionOf('app.db'));
    assert.deepEqual(JSON.parse(lines[1]!), {
      type: 'tx',
      db: 'app.db',
      data: {
        txID: formatTxid(toTxid(1)),
        postApplyChecksum: formatChecksum(CHECKSUM),
        pageSize: PAGE_SIZE,
        commit: 1,
        timestamp: '1970-01-01T00:00:01.000Z',
      },
    });
    // The log need not keep it for us.
    assert.deepEqual(source.acknowledged, [['app.db', { txid: toTxid(1), checksum: CHECKSUM }]]);
  });

  test('follows the log only while somebody listens, and once for all', async () => {
    const { source, listen } = setUp();
    await settled();
    assert.equal(source.followed, 0);
    const ends = [listen(), listen()];
    await settled();
    assert.deepEqual([source.followed, source.open], [1, 1]);
    for (const end of ends) end();
    await settled();
    assert.equal(source.open, 0);
    listen();
    await settled();
    assert.deepEqual([source.followed, source.open], [2, 1]);
  });

  test('passes over files, and lets them go', async () => {
    const { source, lines, listen } = setUp();
    listen();
    await settled();
    let isReleased = false;
    const position = { txid: toTxid(9), checksum: CHECKSUM };
    const release = (): void => {
      isReleased = true;
    };
    const file = { database: 'app.db', position, release } as unknown as SentFile;
    await source.put({ kind: 'file', file });
    await source.put(transactionOf('b.db'));
    assert.equal(isReleased, true);
    assert.deepEqual(source.acknowledged[0], ['app.db', position]);
    assert.equal(lines.length, 2);
  });

  test('cuts off who listens when the log cannot be followed, and says why', async () => {
    const { source, log, listen, isCutOff } = setUp();
    listen();
    await settled();
    await source.fail(new Error('disk'));
    assert.equal(isCutOff(), true);
    assert.equal(source.open, 0);
    assert.match(JSON.stringify(log.entries), /Events of transactions end.*disk/);
  });

  test('ends when it is closed, whoever listens', async () => {
    const { source, events, log, listen } = setUp();
    listen();
    await settled();
    events.close();
    await settled();
    assert.equal(source.open, 0);
    listen();
    await settled();
    assert.deepEqual([source.followed, log.entries.length], [1, 0]);
  });
});
