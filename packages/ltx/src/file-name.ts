// Names of LTX files: `<first TXID>-<last TXID>.ltx`, each of sixteen lowercase hexadecimal digits.

import { type Txid, formatTxid, maybeParseTxid } from './txid.ts';

export interface TxidRange {
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
}

const FILE_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/;

export function formatLtxFileName(range: TxidRange): string {
  return `${formatTxid(range.minTxid)}-${formatTxid(range.maxTxid)}.ltx`;
}

/** Undefined for any other name: such files may lie beside, temporary ones for example. */
export function maybeParseLtxFileName(name: string): TxidRange | undefined {
  const match = FILE_NAME.exec(name);
  if (match === null) return undefined;
  const minTxid = maybeParseTxid(match[1]!);
  const maxTxid = maybeParseTxid(match[2]!);
  if (minTxid === undefined || maxTxid === undefined) return undefined;
  return minTxid >= 1n && minTxid <= maxTxid ? { minTxid, maxTxid } : undefined;
}
