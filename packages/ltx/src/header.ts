// The header of an LTX file. Integers big-endian; on disk: cannot change.
//
//    0   4  magic "LTX1", in every version of the format
//    4   4  flags
//    8   4  page size
//   12   4  commit: pages of the database afterwards; 0: it was deleted
//   16   8  first TXID                    40   8  pre-apply checksum; 0 in a snapshot
//   24   8  last TXID                     48   8  offset of the transaction in the WAL
//   32   8  milliseconds since 1970       56   8  its length there
//   72   8  id of the node that wrote     64   4  salt 1 of the WAL
//   80  20  zeros                         68   4  salt 2
//
// A file whose first TXID is 1 is a snapshot: it has every page, so it needs no state to apply to.

import { assert } from '@skein/bytes';

import { type Checksum, CHECKSUM_FLAG, NO_CHECKSUM } from './checksum.ts';
import { LtxFormatError } from './errors.ts';
import { isPageSize } from './page-number.ts';
import type { Txid } from './txid.ts';

/**
 * 1 is what LiteFS 0.5 writes (pages raw, or all in one LZ4 frame), 3 what Litestream 0.5 does
 * (pages compressed one by one, with an index). The header does not say which: see
 * detect-version.ts.
 */
export type LtxVersion = 1 | 3;

export const HEADER_SIZE = 100;

const MAGIC = 0x4c545831;

/** Version 1: the page block is an LZ4 frame. */
export const FLAG_LZ4 = 0x1;

/** Version 3: pre- and post-apply checksum are left out. */
export const FLAG_NO_CHECKSUM = 0x2;

export interface LtxHeader {
  readonly flags: number;
  readonly pageSize: number;
  readonly commit: number;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  /** By the clock of the node that wrote. */
  readonly timestampMs: number;
  readonly preApplyChecksum: Checksum;
  readonly walOffset: number;
  readonly walSize: number;
  readonly walSalt1: number;
  readonly walSalt2: number;
  readonly nodeId: bigint;
}

/** What a header cannot do without; what is not given is 0. */
export type LtxHeaderFields = Partial<LtxHeader> &
  Pick<LtxHeader, 'pageSize' | 'commit' | 'minTxid' | 'maxTxid'>;

export function makeHeader(fields: LtxHeaderFields): LtxHeader {
  return {
    flags: 0,
    timestampMs: 0,
    preApplyChecksum: NO_CHECKSUM,
    walOffset: 0,
    walSize: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    ...fields,
  };
}

/** Whether the file has every page of the database. */
export function isSnapshot(header: Pick<LtxHeader, 'minTxid'>): boolean {
  return header.minTxid === 1n;
}

/** Whether the file says how the database must be before and after. */
export function hasChecksums(header: LtxHeader): boolean {
  return (header.flags & FLAG_NO_CHECKSUM) === 0;
}

export function encodeHeader(header: LtxHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, header.flags);
  view.setUint32(8, header.pageSize);
  view.setUint32(12, header.commit);
  view.setBigUint64(16, header.minTxid);
  view.setBigUint64(24, header.maxTxid);
  view.setBigInt64(32, BigInt(header.timestampMs));
  view.setBigUint64(40, header.preApplyChecksum);
  view.setBigInt64(48, BigInt(header.walOffset));
  view.setBigInt64(56, BigInt(header.walSize));
  view.setUint32(64, header.walSalt1);
  view.setUint32(68, header.walSalt2);
  view.setBigUint64(72, header.nodeId);
  return bytes;
}

/** Reads the header at `offset`. What depends on the version is left to checkHeader(). */
export function decodeHeader(bytes: Uint8Array, offset: number = 0): LtxHeader {
  assert(offset >= 0 && offset + HEADER_SIZE <= bytes.length, 'LTX header outside of the array');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_SIZE);
  const magic = view.getUint32(0);
  if (magic !== MAGIC) {
    const details = { offset: 0, expected: MAGIC, actual: magic };
    throw new LtxFormatError('LTX_MAGIC', 'Cannot decode LTX header: it has no magic', details);
  }
  return {
    flags: view.getUint32(4),
    pageSize: view.getUint32(8),
    commit: view.getUint32(12),
    minTxid: view.getBigUint64(16) as Txid,
    maxTxid: view.getBigUint64(24) as Txid,
    timestampMs: readInt53(view, 32),
    preApplyChecksum: view.getBigUint64(40) as Checksum,
    walOffset: readInt53(view, 48),
    walSize: readInt53(view, 56),
    walSalt1: view.getUint32(64),
    walSalt2: view.getUint32(68),
    nodeId: view.getBigUint64(72),
  };
}

/** The fields have 64 bits, and what they mean never needs more than a JavaScript number holds. */
function readInt53(view: DataView, offset: number): number {
  const value = view.getBigInt64(offset);
  if (BigInt.asIntN(54, value) !== value) {
    const message = 'Cannot decode LTX header: a number is beyond all sense';
    throw new LtxFormatError('LTX_HEADER', message, { offset, actual: value });
  }
  return Number(value);
}

/** Throws unless a file of this version may have this header. Both directions go through here. */
export function checkHeader(header: LtxHeader, version: LtxVersion): void {
  const { flags, pageSize, commit, minTxid, maxTxid, timestampMs, nodeId } = header;
  const flagsMask = version === 1 ? FLAG_LZ4 : FLAG_NO_CHECKSUM;
  check((flags & ~flagsMask) === 0, 'flags of another version', 4, flags);
  check(isPageSize(pageSize), 'not a page size', 8, pageSize);
  check(commit >>> 0 === commit, 'not a number of pages', 12, commit);
  check(minTxid > 0n, 'no TXID', 16, minTxid);
  check(maxTxid >= minTxid, 'the last TXID is before the first', 24, maxTxid);
  check(Number.isSafeInteger(timestampMs), 'not a time', 32, timestampMs);
  checkPreApply(header);
  check(BigInt.asUintN(64, nodeId) === nodeId, 'not a node id', 72, nodeId);
  checkWalPlace(header, version);
}

function checkWalPlace(header: LtxHeader, version: LtxVersion): void {
  const { walOffset, walSize, walSalt1, walSalt2 } = header;
  check(isSafeNatural(walOffset), 'not an offset in the WAL', 48, walOffset);
  check(isSafeNatural(walSize), 'not a length in the WAL', 56, walSize);
  // Litestream writes offsets and salts without a length.
  if (version !== 1) return;
  check((walOffset === 0) === (walSize === 0), 'half a place in the WAL', 56, walSize);
  const hasSalts = walSalt1 !== 0 || walSalt2 !== 0;
  check(!hasSalts || walOffset !== 0, 'salts without a place in the WAL', 64, walSalt1);
}

function checkPreApply(header: LtxHeader): void {
  const checksum = header.preApplyChecksum;
  if (isSnapshot(header) || !hasChecksums(header)) {
    check(checksum === NO_CHECKSUM, 'a pre-apply checksum where none may be', 40, checksum);
  } else {
    check(checksum >= CHECKSUM_FLAG, 'not a pre-apply checksum', 40, checksum);
  }
}

function isSafeNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function check(isGood: boolean, problem: string, offset: number, actual: number | bigint): void {
  if (isGood) return;
  const message = `LTX header is invalid: ${problem}: ${actual}`;
  throw new LtxFormatError('LTX_HEADER', message, { offset, actual });
}
