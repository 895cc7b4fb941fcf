// The fixed blocks of a segment and its index, compared with the records that are in it.

import {
  encodeSegmentSeal,
  maybeDecodeSegmentSeal,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_RECORDS_AT,
  SEGMENT_SEAL_AT,
  type SegmentSeal,
} from '../log/segment-header.ts';
import { SegmentIndex } from '../log/segment-index.ts';
import { findBitByTrial } from '../recovery/flipped-bit.ts';
import type { Remedy } from './fault.ts';
import type { LogHandler } from './log-handler.ts';
import type { SurveyFile } from './survey-file.ts';

/** The seal of a segment as it was found. */
export interface FoundSeal {
  /** What it says, or must have said; undefined when the segment is not sealed. */
  readonly seal: SegmentSeal | undefined;
  /** The bytes are neither a seal nor none. */
  readonly isDamaged: boolean;
}

/** A file that was taken into use again may still have the seal of its earlier life. */
export function readSeal(file: SurveyFile, sequence: number): FoundSeal {
  const block = new Uint8Array(SEGMENT_BLOCK_BYTES);
  file.read('check.read', block, 0, block.length, SEGMENT_SEAL_AT);
  const own = (seal: SegmentSeal | undefined): SegmentSeal | undefined =>
    seal?.sequence === sequence ? seal : undefined;
  const seal = maybeDecodeSegmentSeal(block);
  if (seal !== undefined || isZero(block)) return { seal: own(seal), isDamaged: false };
  const bit = findBitByTrial(block, (bytes) => maybeDecodeSegmentSeal(bytes) !== undefined);
  if (bit !== undefined) block[bit.offset]! ^= 1 << bit.bit;
  return { seal: own(maybeDecodeSegmentSeal(block)), isDamaged: true };
}

export interface SealSurveyOptions {
  /** Relative to the data folder. */
  readonly name: string;
  readonly found: FoundSeal;
  /** What the seal should say; undefined in a segment that still is written. */
  readonly expected: SegmentSeal | undefined;
  /** Of the records as they were found. */
  readonly index: SegmentIndex;
}

/** All records must have been found. */
export function surveySeal(
  file: SurveyFile,
  handler: LogHandler,
  { name, found, expected, index }: SealSurveyOptions,
): void {
  const { seal, isDamaged } = found;
  if (isDamaged) {
    const bytes =
      expected === undefined ? new Uint8Array(SEGMENT_BLOCK_BYTES) : encodeSegmentSeal(expected);
    const remedy = writeRemedy(name, SEGMENT_SEAL_AT, bytes);
    handler.fault({ kind: 'damage', file: name, what: 'its seal is damaged', remedy });
  }
  if (seal === undefined || expected === undefined) return;
  const right = index.encode();
  const actual = readIndex(file, seal);
  if (actual !== undefined && Buffer.compare(right, actual) === 0) return;
  const remedy = writeRemedy(name, expected.end, right);
  handler.fault({ kind: 'damage', file: name, what: 'its index is damaged', remedy });
}

/** The index of a sealed segment; undefined when it is damaged. */
export function readSealedIndex(file: SurveyFile, seal: SegmentSeal): SegmentIndex | undefined {
  const bytes = readIndex(file, seal);
  return bytes === undefined ? undefined : SegmentIndex.maybeDecode(bytes);
}

/** Header and seal lie in a block of which they use little. */
export function surveyUnused(file: SurveyFile, handler: LogHandler, name: string): void {
  const bytes = new Uint8Array(SEGMENT_RECORDS_AT);
  file.read('check.read', bytes, 0, bytes.length, 0);
  const ranges = [
    [SEGMENT_BLOCK_BYTES, SEGMENT_SEAL_AT],
    [SEGMENT_SEAL_AT + SEGMENT_BLOCK_BYTES, SEGMENT_RECORDS_AT],
  ] as const;
  for (const [start, end] of ranges) {
    if (isZero(bytes.subarray(start, end))) continue;
    handler.fault({
      kind: 'damage',
      file: name,
      what: `the unused bytes at ${start} are not zero`,
      remedy: {
        ...writeRemedy(name, start, new Uint8Array(end - start)),
        description: 'clear them',
      },
    });
  }
}

function readIndex(file: SurveyFile, seal: SegmentSeal): Uint8Array | undefined {
  const available = Math.max(0, file.size('check.size') - seal.end);
  const bytes = new Uint8Array(Math.min(seal.indexBytes, available));
  file.read('check.read', bytes, 0, bytes.length, seal.end);
  return bytes.length === seal.indexBytes ? bytes : undefined;
}

function writeRemedy(
  file: string,
  offset: number,
  bytes: Uint8Array,
): Extract<Remedy, { kind: 'write' }> {
  const description = 'write it again: it follows from the records';
  return { kind: 'write', file, offset, bytes, description };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
