// Fields of an LTX file that a stream needs, read where they lie: decoding the whole of every
// transaction is the sink's work.

import { readU64be } from '@skein/bytes';
import { HEADER_SIZE, type Position, TRAILER_SIZE, type Txid } from '@skein/ltx';

import { malformed } from '../../wire/fields.ts';

const MAX_TXID_OFFSET = 24;
const TIMESTAMP_OFFSET = 32;

/** Throws ReplicationError for bytes that are too few for an LTX file. */
export function checkLtxLength(ltx: Uint8Array): void {
  if (ltx.length < HEADER_SIZE + TRAILER_SIZE) throw malformed('an LTX file is too short');
}

export function maxTxidOf(ltx: Uint8Array): Txid {
  return readU64be(ltx, MAX_TXID_OFFSET) as Txid;
}

/** When it was committed, by the clock of the node that did it. */
export function timestampOf(ltx: Uint8Array): number {
  return Number(BigInt.asIntN(64, readU64be(ltx, TIMESTAMP_OFFSET)));
}

/** Where the database stands after it. */
export function positionAfter(ltx: Uint8Array): Position {
  const checksum = readU64be(ltx, ltx.length - TRAILER_SIZE) as Position['checksum'];
  return { txid: maxTxidOf(ltx), checksum };
}
