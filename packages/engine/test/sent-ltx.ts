// Transactions as a primary sends them, made by hand from the pages before and after.

import { DatabaseChecksum, LtxEncoder, makeHeader, pageChecksum, type Txid } from '@skein/ltx';

import { isEqual, type Pages } from './sample-database.ts';

export interface SentLtx {
  readonly database: string;
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly txid: bigint;
  /** Afterwards; none when the database was dropped. */
  readonly pages: Pages;
}

export interface LtxOptions {
  readonly database: string;
  readonly epoch?: number;
  readonly nodeId?: bigint;
  readonly txid: bigint;
  readonly before: Pages;
  readonly next: Pages;
  /** What the file says that the database is afterwards, where that is not `next`. */
  readonly claimed?: Pages;
}

/** The transaction that makes `next` of `before`. */
export function ltxBetween(options: LtxOptions): SentLtx {
  const { database, epoch = 1, nodeId = 7n, txid, before, next, claimed = next } = options;
  const header = makeHeader({
    pageSize: (next[0] ?? before[0])!.length,
    commit: next.length,
    minTxid: txid as Txid,
    maxTxid: txid as Txid,
    nodeId,
    ...(txid > 1n && { preApplyChecksum: checksumOf(before) }),
  });
  const changed = next.flatMap((page, n) =>
    n < before.length && isEqual(page, before[n]!) ? [] : [n + 1],
  );
  const bytes = encode(header, { pages: next, claimed, pgnos: changed });
  return { database, epoch, bytes, txid, pages: next };
}

/** All of a database as one file, in the place of its transactions up to `sent`. */
export function snapshotOf({ database, epoch, txid, pages }: SentLtx): SentLtx {
  const header = makeHeader({
    pageSize: pages[0]!.length,
    commit: pages.length,
    minTxid: 1n as Txid,
    maxTxid: txid as Txid,
  });
  const pgnos = pages.map((_, n) => n + 1);
  const bytes = encode(header, { pages, claimed: pages, pgnos });
  return { database, epoch, bytes, txid, pages };
}

function encode(
  header: ReturnType<typeof makeHeader>,
  content: { readonly pages: Pages; readonly claimed: Pages; readonly pgnos: readonly number[] },
): Uint8Array {
  const { pages, claimed, pgnos } = content;
  const pieces: Uint8Array[] = [];
  const encoder = new LtxEncoder((bytes, start, end) => {
    pieces.push(bytes.slice(start, end));
  }, header);
  for (const pgno of pgnos) encoder.writePage(pgno, pages[pgno - 1]!);
  encoder.finish(checksumOf(claimed));
  return new Uint8Array(Buffer.concat(pieces));
}

function checksumOf(pages: Pages): DatabaseChecksum['value'] {
  const sum = new DatabaseChecksum();
  for (const [n, page] of pages.entries()) {
    const own = pageChecksum(n + 1, page);
    sum.toggle(Number(own >> 32n), Number(own & 0xffff_ffffn));
  }
  return sum.value;
}
