// Reads the node's log while it grows, from any thread: the records that are durable, in order.
//
// It has files of its own and shares only PublishedLog with the thread that writes the log.
//
// Invariants:
//  - Nothing is given out of a record that is not durable.
//  - Nothing counts that was read before assertKept() has returned: a segment that is not needed
//    any more is used again for another one, and might be overwritten while it is read.
//
// Throws EngineError LOG_TRIMMED when the log does not reach back that far any more, DamageError
// when a durable record is not there.

import { assert } from '@skein/bytes';
import type { Disk, DiskFile } from '@skein/host';

import { DAMAGE_HINT, DamageError, EngineError } from '../errors.ts';
import type { PublishedLog } from '../log/published-log.ts';
import { padTo8, type RecordEntry, type RecordHeader } from '../log/record.ts';
import { maybeReadAnyRecord } from '../log/record-reader.ts';
import { maybeOpenToRead, type Segment } from '../log/segment.ts';
import {
  formatSegmentName,
  maybeParseSegmentName,
  SEGMENT_RECORDS_AT,
} from '../log/segment-header.ts';
import { SegmentWindow, WINDOW_BYTES } from './segment-window.ts';

export interface FollowedLog {
  readonly disk: Disk;
  /** The folder `log` of the data folder. */
  readonly folder: string;
  readonly published: PublishedLog;
}

/** Where a record is. */
export interface LogPlace {
  readonly lsn: number;
  readonly sequence: number;
  readonly offset: number;
}

interface OpenSegment {
  readonly file: DiskFile;
  readonly sequence: number;
  /** Of its last record; undefined while it is the newest segment, as far as we know. */
  lastLsn: number | undefined;
}

export class LogFollower {
  readonly #log: FollowedLog;
  readonly #window = new SegmentWindow();
  #segment: OpenSegment | undefined;
  #lsn: number;
  #offset = SEGMENT_RECORDS_AT;
  /** What the next record has to say of the one before; undefined when none was read. */
  #link: bigint | undefined;
  #header: RecordHeader | undefined;
  /** As it was at begin(): what is behind may be in the making. */
  #durableLsn = 0;
  /** Of the first record that was read since begin(). */
  #firstLsn = 0;

  /** Begins with the record at a place, or with the first record of the segment that has `lsn`. */
  constructor(log: FollowedLog, start: LogPlace | number) {
    this.#log = log;
    this.#lsn = typeof start === 'number' ? start : start.lsn;
    if (typeof start === 'number') return;
    const segment = maybeOpenToRead(log.disk, log.folder, start.sequence);
    if (segment === undefined) throw trimmed(start.lsn, log.published.firstLsn);
    this.#use(segment);
    this.#offset = start.offset;
  }

  /** The record that comes next. */
  get nextLsn(): number {
    return this.#lsn;
  }

  /** Where that is; undefined while it is not known in which segment. */
  get place(): LogPlace | undefined {
    if (this.#segment === undefined) return undefined;
    return { lsn: this.#lsn, sequence: this.#segment.sequence, offset: this.#offset };
  }

  /** Begins a batch: whatever was lent before is not valid any more. */
  begin(): void {
    this.#window.begin();
    this.#header = undefined;
    this.#firstLsn = this.#lsn;
    this.#durableLsn = this.#log.published.durableLsn;
    this.assertKept();
  }

  /** Whether the batch is full: begin() goes on. */
  get isFull(): boolean {
    return this.#window.isFull;
  }

  /** The next durable record. Undefined when there is none, or the batch is full. */
  peek(): RecordHeader | undefined {
    if (this.#header !== undefined) return this.#header;
    if (this.#lsn > this.#durableLsn) return undefined;
    if (this.#lsn > this.#lastLsn) this.#openNext();
    this.#header = this.#maybeRead();
    if (this.#header === undefined && !this.isFull) throw this.#missing();
    return this.#header;
  }

  /** Leaves the record that peek() has found behind. */
  pass(): void {
    assert(this.#header !== undefined, 'Passes a record that was not read');
    const { headerBytes, bodyBytes, crc, lsn } = this.#header;
    this.#offset += headerBytes + bodyBytes;
    this.#link = crc;
    this.#lsn = lsn + 1;
    this.#header = undefined;
  }

  /** An LTX file in the body of this record, until begin(). Undefined: the batch is full. */
  view(entry: RecordEntry): Uint8Array | undefined {
    const bytes = this.#window.view('follow.read', this.#offsetOf(entry), entry.ltxBytes);
    if (bytes === undefined && !this.isFull) throw this.#missing();
    return bytes;
  }

  /** Fills `into` with some bytes of an LTX file; when nothing is lent, without a call for each. */
  read(entry: RecordEntry, offset: number, into: Uint8Array): void {
    const from = into.length > WINDOW_BYTES ? this.#segment!.file : this.#window;
    const position = this.#offsetOf(entry) + offset;
    if (from.read('follow.read', into, 0, into.length, position) < into.length) {
      throw this.#missing();
    }
  }

  /** What was read since begin() counts. */
  assertKept(): void {
    const { firstLsn } = this.#log.published;
    if (firstLsn > this.#firstLsn) throw trimmed(this.#firstLsn, firstLsn);
  }

  close(): void {
    this.#segment?.file.close();
    this.#segment = undefined;
  }

  #offsetOf(wanted: RecordEntry): number {
    const { headerBytes, entries } = this.#header!;
    let at = this.#offset + headerBytes;
    for (const entry of entries) {
      if (entry === wanted) return at;
      if (entry.besideId === undefined) at += padTo8(entry.ltxBytes);
    }
    throw new Error('The entry is not one of the record');
  }

  /**
   * Of the segment that is open. Behind its last record may lie one that a power cut has torn, with
   * the very number of the first one of the next segment: what is there does not tell.
   */
  get #lastLsn(): number {
    const segment = this.#segment;
    if (segment === undefined) return -1;
    if (segment.lastLsn !== undefined) return segment.lastLsn;
    if (this.#log.published.tailSequence === segment.sequence) return Infinity;
    const next = this.#openAfter(segment.sequence);
    next.file.close();
    segment.lastLsn = next.header.firstLsn - 1;
    return segment.lastLsn;
  }

  #openNext(): void {
    const next = this.#openAfter(this.#segment?.sequence ?? -1);
    const { firstLsn, link } = next.header;
    if (firstLsn !== this.#lsn || (this.#link !== undefined && link !== this.#link)) {
      next.file.close();
      throw this.#missing();
    }
    this.#use(next);
    this.#link = link;
  }

  #openAfter(after: number): Segment {
    const { disk, folder } = this.#log;
    for (const name of disk.list('follow.list', folder)) {
      const sequence = maybeParseSegmentName(name);
      if (sequence === undefined || sequence <= after) continue;
      const segment = maybeOpenToRead(disk, folder, sequence);
      if (segment !== undefined) return segment;
    }
    throw this.#missing();
  }

  #use({ file, header, isSealed, lastLsn }: Segment): void {
    this.#segment?.file.close();
    const { sequence } = header;
    this.#segment = { file, sequence, lastLsn: isSealed ? lastLsn : undefined };
    this.#window.use(file);
    this.#offset = SEGMENT_RECORDS_AT;
  }

  #maybeRead(): RecordHeader | undefined {
    const header = maybeReadAnyRecord(this.#window, this.#offset);
    if (header?.lsn !== this.#lsn) return undefined;
    return this.#link === undefined || header.link === this.#link ? header : undefined;
  }

  /** A record that is durable is not where it must be: its segment was given up, or is damaged. */
  #missing(): Error {
    const { firstLsn } = this.#log.published;
    if (firstLsn > this.#firstLsn) return trimmed(this.#firstLsn, firstLsn);
    const lsn = this.#lsn;
    const file =
      this.#segment === undefined ? 'log' : `log/${formatSegmentName(this.#segment.sequence)}`;
    const message = `Cannot follow the log: record ${lsn} was durable, and is damaged or missing`;
    return new DamageError('LOG_CORRUPT', message, { file, lsn }, { hint: DAMAGE_HINT });
  }
}

export function isTrimmed(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'LOG_TRIMMED';
}

function trimmed(lsn: number, firstLsn: number): EngineError {
  const message = `Cannot follow the log from record ${lsn}: it begins with record ${firstLsn}`;
  return new EngineError('LOG_TRIMMED', message);
}
