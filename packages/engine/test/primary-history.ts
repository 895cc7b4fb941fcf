// What a primary has committed, as it is sent to a replica, and what each transaction leads to. The
// pages after it are computed here, from the LTX files alone.

import assert from 'node:assert/strict';

import { readWhole } from '@skein/bytes';
import {
  bytesSource,
  DatabaseChecksum,
  LtxEncoder,
  LtxReader,
  makeHeader,
  pageChecksum,
  type Txid,
} from '@skein/ltx';
import { SimDisk } from '@skein/testkit';

import { maybeReadLogged } from '../src/replica/logged.ts';
import type { Pages } from './sample-database.ts';
import { DATA_FOLDER } from './sim-node.ts';
import { createWorld, type Scenario } from './world.ts';

export interface SentLtx {
  readonly database: string;
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly txid: bigint;
  /** Afterwards; none when the database was dropped. */
  readonly pages: Pages;
}

/** Runs a scenario on a primary that keeps all of its log. */
export function primaryHistory(scenario: Scenario, seed: number): readonly SentLtx[] {
  const engine = { ...scenario.engine, retentionMs: 1e12, retentionBytesMax: 1e12 };
  const disk = new SimDisk({ seed });
  const { node, actor } = createWorld({ ...scenario, engine }, seed, disk);
  scenario.act(actor);
  node.rest();
  const { log, epoch } = node.engine;
  log.sync();
  const history: SentLtx[] = [];
  const databases = new Map<string, Pages>();
  for (let lsn = 1; lsn <= log.durableLsn; lsn++) {
    const logged = maybeReadLogged({ disk, log, folder: `${DATA_FOLDER}/log` }, lsn);
    assert(logged !== undefined, `Record ${lsn} is not in the log`);
    for (const { entry, source } of logged) {
      const bytes = new Uint8Array(entry.ltxBytes);
      assert(readWhole(source, bytes, 0), 'A transaction ends too early');
      const pages = applied(databases.get(entry.database) ?? [], bytes);
      databases.set(entry.database, pages);
      history.push({ database: entry.database, epoch, bytes, txid: entry.maxTxid, pages });
    }
  }
  node.close();
  return history;
}

/** All of a database as one file, in the place of its transactions up to `sent`. */
export function snapshotOf({ database, epoch, txid, pages }: SentLtx): SentLtx {
  const pieces: Uint8Array[] = [];
  const sum = new DatabaseChecksum();
  const header = makeHeader({
    pageSize: pages[0]!.length,
    commit: pages.length,
    minTxid: 1n as Txid,
    maxTxid: txid as Txid,
  });
  const sink = (bytes: Uint8Array, start: number, end: number): void => {
    pieces.push(bytes.slice(start, end));
  };
  const encoder = new LtxEncoder(sink, header);
  for (const [n, page] of pages.entries()) {
    encoder.writePage(n + 1, page);
    const own = pageChecksum(n + 1, page);
    sum.toggle(Number(own >> 32n), Number(own & 0xffff_ffffn));
  }
  encoder.finish(sum.value);
  return { database, epoch, bytes: new Uint8Array(Buffer.concat(pieces)), txid, pages };
}

function applied(before: Pages, bytes: Uint8Array): Pages {
  const reader = new LtxReader(bytesSource(bytes), { version: 1 });
  const { pageSize, commit } = reader.header;
  const pages = [...before];
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pages[page.pgno - 1] = page.bytes.slice(page.start, page.start + pageSize);
  }
  pages.length = commit;
  return pages;
}
