// What somebody who stands at a position of a database needs to come to where it is here: nothing,
// transactions of the log, or all of it.
//
// LiteFS decides the same (its catch-up, and what it does when positions do not fit), but for two
// things: a database that is behind by more than it is large is sent whole, which is written once
// and not page by page through a WAL; and one that was dropped is dropped, however far the other
// side was behind.

import { type Position, POSITION_ZERO } from '@skein/ltx';

import type { FollowedState } from './log-catalog.ts';

export type StartPoint =
  /** It is there already, or has none and needs none. */
  | { readonly kind: 'there' }
  /** Transactions of the log, to be found from this record on. */
  | { readonly kind: 'log'; readonly lsn: number }
  | { readonly kind: 'snapshot' }
  /** It was dropped here, and the transaction that did it does not fit. */
  | { readonly kind: 'dropped' }
  /** No database of this name ever was here. */
  | { readonly kind: 'unknown' };

export interface StartOptions {
  /** Where the other side stands; undefined: it does not have the database. */
  readonly from: Position | undefined;
  /** Where the database is here; undefined: it never was. */
  readonly own: FollowedState | undefined;
  /** The first record that may hold a transaction; undefined when the log has it no more. */
  readonly findFirst: (txid: bigint) => number | undefined;
  /** Whether the database is sent whole when that is less than its transactions at the least. */
  readonly prefersSmaller: boolean;
}

/** Whether the checksum at `from` is right is told by the transaction that comes next. */
export function findStartPoint(options: StartOptions): StartPoint {
  const { own, findFirst, prefersSmaller } = options;
  const from = options.from ?? POSITION_ZERO;
  if (own === undefined) return { kind: 'unknown' };
  const isDropped = own.pageCount === 0;
  const { txid, checksum } = own.position;
  if (from.txid === txid && from.checksum === checksum) return { kind: 'there' };
  if (isDropped && from.txid === 0n) return { kind: 'there' };
  const whole = { kind: isDropped ? 'dropped' : 'snapshot' } as const;
  if (from.txid >= txid) return whole;
  if (prefersSmaller && isLargerThanWhole(from.txid, own)) return whole;
  const lsn = findFirst(from.txid + 1n);
  return lsn === undefined ? whole : { kind: 'log', lsn };
}

/** Fewer are sent sooner than a snapshot is begun. */
const TRANSACTIONS_BEFORE_WHOLE = 1000n;

/** The same for somebody who has nothing of the database yet. */
const BYTES_BEFORE_WHOLE = 1024 * 1024;

/** At least as much, that is: what transactions have together is not counted. */
function isLargerThanWhole(fromTxid: bigint, own: FollowedState): boolean {
  const { position, pageCount, pageSize = 0 } = own;
  const count = position.txid - fromTxid;
  // Each page that is there was written by one of all transactions. A single one is whole itself.
  if (fromTxid === 0n && count > 1n && pageCount * pageSize > BYTES_BEFORE_WHOLE) return true;
  // A transaction has one page at the least.
  return count > TRANSACTIONS_BEFORE_WHOLE && count > BigInt(pageCount);
}
