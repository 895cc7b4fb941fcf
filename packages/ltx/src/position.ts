// Where a database stands: its last transaction and the checksum of all its pages after it.

import { type Checksum, NO_CHECKSUM, formatChecksum, maybeParseChecksum } from './checksum.ts';
import { type Txid, formatTxid, maybeParseTxid } from './txid.ts';

export interface Position {
  readonly txid: Txid;
  readonly checksum: Checksum;
}

/** Before the first transaction. */
export const POSITION_ZERO: Position = { txid: 0n as Txid, checksum: NO_CHECKSUM };

/** `<txid>/<checksum>`, 33 characters. */
export function formatPosition(position: Position): string {
  return `${formatTxid(position.txid)}/${formatChecksum(position.checksum)}`;
}

/** The position that the text says and nothing else, or undefined. */
export function maybeParsePosition(text: string): Position | undefined {
  const [left, right, ...rest] = text.split('/');
  if (left === undefined || right === undefined || rest.length > 0) return undefined;
  const txid = maybeParseTxid(left);
  const checksum = maybeParseChecksum(right);
  return txid === undefined || checksum === undefined ? undefined : { txid, checksum };
}
