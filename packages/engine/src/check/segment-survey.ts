// Reads one segment of the log to its end, past what is damaged in it.

import { formatTxid, type Txid } from '@skein/ltx';

import type { LogBounds } from '../log/log-bounds.ts';
import type { RecordHeader } from '../log/record.ts';
import {
  type ChainPlace,
  findRecordAfter,
  isKnownDurable,
  maybeReadAnyRecord,
  placeAfter,
} from '../log/record-reader.ts';
import {
  encodeSegmentHeader,
  maybeDecodeSegmentHeader,
  maybeParseSegmentName,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_AT,
  SEGMENT_RECORDS_AT,
  type SegmentHeader,
  type SegmentSeal,
} from '../log/segment-header.ts';
import { SegmentIndex } from '../log/segment-index.ts';
import { findHeaderBit } from '../recovery/flipped-record.ts';
import type { Fault } from './fault.ts';
import { formatRecords } from './format-records.ts';
import type { LogHandler } from './log-handler.ts';
import {
  findRecordFaults,
  flipRemedy,
  handOn,
  type FoundRecord,
  type RecordContext,
  surveyPadding,
} from './record-survey.ts';
import {
  type FoundSeal,
  readSeal,
  readSealedIndex,
  surveySeal,
  surveyUnused,
} from './seal-survey.ts';
import { SurveyFile } from './survey-file.ts';

type FoundHeader = NonNullable<ReturnType<typeof findRecordAfter>>;

export interface SegmentContext extends RecordContext {
  /** Undefined when there are none, or damaged ones. */
  readonly bounds: LogBounds | undefined;
  /** The last LSN that was ever durable, as far as anything else knows. */
  readonly knownLsn: number;
}

const TORN_HINT =
  'A power cut leaves this, and then nothing is lost: nobody was told that the record is ' +
  'durable. The next start goes on from there';

const SEARCH_BYTES = 1024 * 1024;

export class SegmentSurvey {
  readonly name: string;
  /** Relative to the data folder. */
  readonly file: string;
  readonly sequence: number;
  readonly #context: SegmentContext;
  readonly #handler: LogHandler;
  readonly #file: SurveyFile;
  readonly #header: SegmentHeader | undefined;
  readonly #foundSeal: FoundSeal;
  /** What is found, to be compared with what the segment says. */
  readonly #index = new SegmentIndex();
  #next: SegmentSurvey | undefined;
  /** Every record was found, and holds what it should or can be made to. */
  #isWhole = true;
  #firstLsn = 0;
  #lastTimestampMs = 0;

  constructor(context: SegmentContext, handler: LogHandler, name: string) {
    const { disk, progress, folder } = context;
    this.name = name;
    this.file = `log/${name}`;
    this.sequence = maybeParseSegmentName(name)!;
    this.#context = context;
    this.#handler = handler;
    this.#file = new SurveyFile(disk, `${folder}/${name}`, progress);
    const header = maybeDecodeSegmentHeader(this.#readBlock(SEGMENT_HEADER_AT));
    this.#header = header?.sequence === this.sequence ? header : undefined;
    this.#foundSeal = readSeal(this.#file, this.sequence);
  }

  get isSealed(): boolean {
    return this.#seal !== undefined;
  }

  get #seal(): SegmentSeal | undefined {
    return this.#foundSeal.seal;
  }

  /** LSN of the first record; undefined when there is none. */
  get firstLsn(): number | undefined {
    return this.#header?.firstLsn ?? this.#firstRecord()?.lsn;
  }

  /** The LTX files that its records name. */
  get besideIds(): readonly bigint[] {
    return this.#index.besideIds;
  }

  close(): void {
    this.#file.close();
  }

  /**
   * Reads it all. `place` is where the segment before it ends, undefined if there is none. Returns
   * the place behind the last record.
   */
  survey(
    place: ChainPlace | undefined,
    next: SegmentSurvey | undefined,
    followsSealed: boolean,
  ): ChainPlace | undefined {
    this.#next = next;
    const header = this.#header ?? this.#deriveHeader(place, followsSealed);
    if (header === undefined) return place;
    this.#surveyStart(header, place);
    const { firstLsn, link } = header;
    this.#firstLsn = firstLsn;
    const end = this.#walk({ offset: SEGMENT_RECORDS_AT, lsn: firstLsn, link });
    surveyUnused(this.#file, this.#handler, this.file);
    this.#surveySeal(end);
    if (next === undefined && !this.isSealed) this.#surveyTail(end);
    return end;
  }

  #surveySeal(end: ChainPlace): void {
    if (this.#isWhole) {
      const isWritten = this.#next === undefined && !this.isSealed;
      const expected = {
        sequence: this.sequence,
        lastLsn: end.lsn - 1,
        end: end.offset,
        lastTimestampMs: this.#lastTimestampMs,
        indexBytes: this.#index.encode().length,
      };
      surveySeal(this.#file, this.#handler, {
        name: this.file,
        found: this.#foundSeal,
        expected: isWritten ? undefined : expected,
        index: this.#index,
      });
    } else if (this.#seal !== undefined) {
      // Not everything between two records that were found need be lost to everybody.
      const spans = readSealedIndex(this.#file, this.#seal)?.databases ?? [];
      for (const [database, { lastTxid }] of spans) this.#handler.expect(database, lastTxid);
    }
  }

  /** What the header must have been: it follows from the first record, or from the one before. */
  #deriveHeader(place: ChainPlace | undefined, followsSealed: boolean): SegmentHeader | undefined {
    const record = this.#firstRecord();
    const isOurs = place === undefined || (record?.lsn === place.lsn && record.link === place.link);
    const first = record !== undefined && isOurs ? record : followsSealed ? place : undefined;
    if (first === undefined) {
      this.#reportHeaderless(place);
      return undefined;
    }
    const header = { sequence: this.sequence, firstLsn: first.lsn, link: first.link };
    this.#report({
      what: 'its header is damaged',
      remedy: {
        kind: 'write',
        file: this.file,
        offset: SEGMENT_HEADER_AT,
        bytes: encodeSegmentHeader(header),
        description: 'write it again: it follows from the records',
      },
    });
    return header;
  }

  #reportHeaderless(place: ChainPlace | undefined): void {
    // The log is given bounds before it gets its first record.
    const isUnused = place !== undefined || this.#context.bounds === undefined;
    if (this.#next === undefined && isUnused) {
      const what = 'it was made just before a crash and holds nothing';
      this.#handler.fault({
        kind: 'leftover',
        file: this.file,
        what,
        remedy: { kind: 'remove', file: this.file },
      });
      return;
    }
    const firstLsn = this.#next?.firstLsn;
    this.#report({
      what: 'its header is damaged, and so is its first record',
      remedy: { kind: 'new-log' },
    });
    this.#handler.lose(firstLsn === undefined ? this.#context.knownLsn : firstLsn - 1, undefined);
  }

  #surveyStart(header: SegmentHeader, place: ChainPlace | undefined): void {
    if (place === undefined) return;
    if (place.lsn === header.firstLsn && place.link === header.link) return;
    const what =
      place.lsn < header.firstLsn
        ? `${formatRecords(place.lsn, header.firstLsn - 1)} are missing before it`
        : 'it does not continue the segment before it';
    this.#report({ lsn: place.lsn, what, remedy: { kind: 'new-log' } });
    this.#handler.lose(Math.max(place.lsn, header.firstLsn - 1), undefined);
  }

  #walk(start: ChainPlace): ChainPlace {
    let place = start;
    for (;;) {
      const header = maybeReadAnyRecord(this.#file, place.offset);
      if (header?.lsn === place.lsn && header.link === place.link) {
        if (!this.#surveyRecord(place, header)) return place;
        place = placeAfter(place, header);
      } else {
        if (this.#isEnd(place)) return place;
        const found = this.#surveyLoss(place);
        if (found.isEnd) return found.place;
        place = found.place;
      }
    }
  }

  /** False where the log ends inside of the record. */
  #surveyRecord(place: ChainPlace, header: RecordHeader): boolean {
    const record: FoundRecord = { file: this.#file, name: this.file, place, header };
    const faults = findRecordFaults(this.#context, record);
    const isTorn =
      faults.some(({ entry, remedy }) => entry.besideId === undefined && remedy === undefined) &&
      faults.every(({ entry }) => entry.besideId === undefined) &&
      !this.#isDurable(place);
    if (isTorn) return false;
    for (const { entry, file, what, remedy } of faults) {
      const { database, maxTxid } = entry;
      this.#report({
        file,
        database,
        txid: maxTxid,
        lsn: header.lsn,
        what: `transaction ${formatTxid(maxTxid as Txid)} of ${database} is damaged: ${what}`,
        remedy: remedy ?? { kind: 'new-log' },
      });
      this.#handler.lose(header.lsn, [database]);
      if (remedy === undefined) this.#isWhole = false;
    }
    surveyPadding(record, this.#handler);
    handOn(
      this.#context,
      record,
      this.#handler,
      faults.map(({ entry }) => entry),
    );
    this.#index.add(header.lsn, place.offset, header.entries);
    this.#lastTimestampMs = header.timestampMs;
    return true;
  }

  /** Whether nothing says that there should be a record. */
  #isEnd(place: ChainPlace): boolean {
    if (this.#seal !== undefined) return place.lsn > this.#seal.lastLsn;
    const nextLsn = this.#nextLsn;
    if (nextLsn !== undefined) return place.lsn >= nextLsn;
    return !this.#isDurable(place) && findHeaderBit(this.#file, place) === undefined;
  }

  #isDurable(place: ChainPlace): boolean {
    return (
      this.#seal !== undefined ||
      this.#nextLsn !== undefined ||
      place.lsn <= this.#context.knownLsn ||
      isKnownDurable(this.#file, place)
    );
  }

  /** Looks for the next whole record behind a damaged one. */
  #surveyLoss(place: ChainPlace): { readonly place: ChainPlace; readonly isEnd: boolean } {
    this.#isWhole = false;
    const bit = findHeaderBit(this.#file, place);
    const found = this.#findNext(place);
    const nextLsn = found?.header.lsn ?? this.#lsnBehind(place);
    const byte = new Uint8Array(1);
    if (bit !== undefined) this.#file.read('check.read', byte, 0, 1, bit.offset);
    this.#report({
      lsn: place.lsn,
      what: `damaged: ${formatRecords(place.lsn, nextLsn - 1)}`,
      remedy: bit === undefined ? { kind: 'new-log' } : flipRemedy(this.file, byte[0]!, bit),
    });
    this.#handler.lose(nextLsn - 1, undefined);
    if (found !== undefined) {
      const { offset, header } = found;
      return { place: { offset, lsn: header.lsn, link: header.link }, isEnd: false };
    }
    const link = this.#next?.link ?? 0n;
    return { place: { offset: this.#seal?.end ?? place.offset, lsn: nextLsn, link }, isEnd: true };
  }

  /**
   * By the index, if there is one: pages may hold what looks like records, since a client may store
   * a log in a database.
   */
  #findNext(place: ChainPlace): FoundHeader | undefined {
    const index = this.#seal && readSealedIndex(this.#file, this.#seal);
    if (index === undefined) return findRecordAfter(this.#file, place);
    for (let n = place.lsn + 1 - this.#firstLsn; n < index.recordCount; n++) {
      const offset = index.offsetOf(n);
      const header = maybeReadAnyRecord(this.#file, offset);
      if (header?.lsn === this.#firstLsn + n) return { offset, header };
    }
    return undefined;
  }

  /** LSN of the first record of the next segment, unless that is one of an earlier life. */
  get #nextLsn(): number | undefined {
    const lsn = this.#next?.firstLsn;
    return lsn !== undefined && lsn >= (this.firstLsn ?? 0) ? lsn : undefined;
  }

  /** LSN of what follows the segment. */
  #lsnBehind(place: ChainPlace): number {
    const known = Math.max(place.lsn, this.#context.knownLsn) + 1;
    return this.#nextLsn ?? (this.#seal === undefined ? known : this.#seal.lastLsn + 1);
  }

  get link(): bigint | undefined {
    return this.#header?.link ?? this.#firstRecord()?.link;
  }

  /** What lies behind the last record of a log that is not sealed. */
  #surveyTail(end: ChainPlace): void {
    const header = maybeReadAnyRecord(this.#file, end.offset);
    const isTorn = header?.lsn === end.lsn || this.#hasUnknownBytes(end);
    if (!isTorn) return;
    const entry = header?.lsn === end.lsn ? header.entries[0] : undefined;
    this.#handler.fault({
      kind: 'leftover',
      file: this.file,
      lsn: end.lsn,
      ...(entry !== undefined && { database: entry.database, txid: entry.maxTxid }),
      what: `it ends inside of record ${end.lsn}`,
      hint: TORN_HINT,
    });
  }

  /** Whether there is something that no earlier life of the file can have left. */
  #hasUnknownBytes(end: ChainPlace): boolean {
    if (findRecordAfter(this.#file, end) !== undefined) return true;
    const isReused = findRecordAfter(this.#file, { ...end, lsn: 0 }) !== undefined;
    return !isReused && !isZero(this.#file, end.offset);
  }

  #firstRecord(): RecordHeader | undefined {
    return maybeReadAnyRecord(this.#file, SEGMENT_RECORDS_AT);
  }

  #readBlock(offset: number): Uint8Array {
    const block = new Uint8Array(SEGMENT_BLOCK_BYTES);
    this.#file.read('check.read', block, 0, block.length, offset);
    return block;
  }

  #report(fault: Omit<Fault, 'kind' | 'file'> & { readonly file?: string }): void {
    this.#handler.fault({ kind: 'damage', file: this.file, ...fault });
  }
}

function isZero(file: SurveyFile, from: number): boolean {
  const piece = new Uint8Array(SEARCH_BYTES);
  const size = file.size('check.size');
  for (let at = from; at < size; at += piece.length) {
    const count = file.read('check.read', piece, 0, piece.length, at);
    if (!piece.subarray(0, count).every((byte) => byte === 0)) return false;
  }
  return true;
}
