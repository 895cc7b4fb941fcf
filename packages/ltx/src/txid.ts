// Transaction ids: consecutive numbers of 64 bits, the first transaction of a database is 1.

import { assert, formatHex64, maybeParseHex64 } from '@skein/bytes';

export type Txid = bigint & { readonly brand: 'Txid' };

const TXID_MAX = (1n << 64n) - 1n;

/** 0, the id before the first transaction, is one too. */
export function toTxid(value: bigint | number): Txid {
  const txid = BigInt(value);
  assert(txid >= 0n && txid <= TXID_MAX, 'A TXID has 64 bits');
  return txid as Txid;
}

/** Sixteen lowercase hexadecimal digits. */
export function formatTxid(txid: Txid): string {
  return formatHex64(txid);
}

export function maybeParseTxid(text: string): Txid | undefined {
  return maybeParseHex64(text) as Txid | undefined;
}
