// The cookie of LiteFS's proxy, for clients that have one already.

import { formatHex64, maybeParseHex64 } from '@skein/bytes';

import type { DatabasePosition } from './node-view.ts';

/** LiteFS's: exactly 16 hexadecimal digits, of any epoch. Zero says nothing. */
export function maybeParseTxidCookie(text: string): DatabasePosition | undefined {
  const txid = maybeParseHex64(text);
  return txid === undefined || txid === 0n ? undefined : { epoch: 0, txid };
}

export function formatTxidCookie({ txid }: DatabasePosition): string {
  return formatHex64(txid);
}
