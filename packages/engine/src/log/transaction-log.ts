// The node's log: the one thing on disk that is durable by itself. Everything that was committed is
// in it, in one order, whatever database it belongs to; all other files follow from it.
//
// Invariants:
//  - Records are appended one behind the other and never changed. What was reported as durable
//    stays readable until trim() gives it up.
//  - durableLsn never passes a record of which a sync has not returned. A sync that failed is
//    final: nothing is appended any more.
//  - An append that fails leaves the log as it was.
//
// Not safe for use by two threads: the thread that serves the mount owns it. Others read the files
// up to what `published` says (follow/log-follower.ts).

import { assert } from '@skein/bytes';
import {
  type BackgroundIo,
  type Clock,
  type Disk,
  DiskError,
  type DiskFile,
  type Log,
} from '@skein/host';

import { LogFailedError } from '../errors.ts';
import { type LogBounds, removeLogBounds, writeLogBounds } from './log-bounds.ts';
import { PublishedLog } from './published-log.ts';
import { bodyBytesOf, encodeRecordHeader, padTo8, type RecordEntry } from './record.ts';
import type { ChainPlace } from './record-reader.ts';
import { type Segment, sealSegment, startSegment } from './segment.ts';
import { formatSegmentName } from './segment-header.ts';
import { SpareSegment } from './spare-segment.ts';

/** Takes the bytes of an LTX file in order; they may be reused as soon as it returns. */
export type ByteSink = (bytes: Uint8Array, start: number, end: number) => void;

export interface LogEntry extends RecordEntry {
  /** Writes exactly `ltxBytes` bytes; not called when the LTX is beside the log. */
  readonly write: (sink: ByteSink) => void;
}

export interface TransactionLogOptions {
  readonly disk: Disk;
  readonly background: BackgroundIo;
  readonly clock: Clock;
  readonly log: Log;
  /** The folder `log` of the data folder. */
  readonly folder: string;
  readonly segmentBytes: number;
}

/** What recovery found: the segments that hold records and the place where the next one goes. */
export interface LogContent {
  readonly segments: readonly Segment[];
  readonly next: ChainPlace;
  /** Sequence of the newest file, or 0. */
  readonly lastSequence: number;
}

/** What trim() gives up, and what it keeps. */
export interface TrimLimits {
  /** All databases have everything up to this record; nothing behind it is ever given up. */
  readonly coveredLsn: number;
  /** Segments are kept whose last record is as young as this, or that a follower needs. */
  readonly beforeMs: number;
  /** But not more than this, LTX files beside the log included. */
  readonly bytesMax: number;
  /** Whether what a snapshot needs that is being sent is kept although it is more. */
  readonly keepsPinned: boolean;
}

/** Appends are gathered here and written at once: a one-row transaction is one write. */
const BUFFER_BYTES = 1024 * 1024;

const ZEROS = new Uint8Array(8);

export class TransactionLog {
  /** For those who read the log in other threads. */
  readonly published: PublishedLog = new PublishedLog();
  readonly #options: TransactionLogOptions;
  readonly #segments: Segment[];
  readonly #spare: SpareSegment;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** Segments with a sync under way elsewhere; their files stay open until it is reported. */
  readonly #syncing = new Set<Segment>();
  #nextSequence: number;
  #next: ChainPlace;
  #durableLsn: number;
  #failure: LogFailedError | undefined;
  /** As they are on the disk, if we have written them. */
  #bounds: LogBounds | undefined;
  #appendedBytes = 0;

  // The append under way: what of it is in the buffer and where in the file that goes.
  #buffered = 0;
  #position = 0;

  constructor(options: TransactionLogOptions, content: LogContent) {
    this.#options = options;
    this.#segments = [...content.segments];
    this.#next = content.next;
    this.#nextSequence = content.lastSequence + 1;
    this.#durableLsn = 0;
    this.published.publishFirst(content.segments[0]?.header.firstLsn ?? content.next.lsn);
    this.published.publishTail(content.segments.at(-1)?.header.sequence ?? 0);
    this.published.publishLast(content.next.lsn - 1);
    // Recovery synced what it kept.
    this.#markDurable(content.next.lsn - 1);
    this.#spare = new SpareSegment(options);
    this.#spare.prepare();
  }

  /** LSN of the last record; 0 in a new log. */
  get lastLsn(): number {
    return this.#next.lsn - 1;
  }

  /** Records up to this one survive a power cut. */
  get durableLsn(): number {
    return this.#durableLsn;
  }

  get failure(): LogFailedError | undefined {
    return this.#failure;
  }

  /** Bytes of all that was appended since the start, LTX files beside the log included. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Appends one record and returns its LSN; it is durable after the next sync. Throws DiskError
   * (no space, usually) and then has changed nothing, or LogFailedError.
   */
  append(epoch: number, entries: readonly LogEntry[]): number {
    if (this.#failure !== undefined) throw this.#failure;
    const { lsn, link } = this.#next;
    const timestampMs = this.#options.clock.wallMs();
    const header = encodeRecordHeader({
      lsn,
      durableLsn: this.#durableLsn,
      link,
      epoch,
      timestampMs,
      entries,
    });
    const size = header.length + bodyBytesOf(entries);
    const segment = this.#segmentFor(size);
    const { end } = segment;
    try {
      this.#writeRecord(segment.file, end, header, entries);
    } catch (error) {
      this.#retract(segment.file, end);
      throw error;
    }
    assert(this.#position === end + size, 'An LTX file has another size than announced');

    segment.index.add(lsn, end, entries);
    segment.end = end + size;
    segment.lastLsn = lsn;
    segment.lastTimestampMs = timestampMs;
    for (const { besideId, ltxBytes } of entries) {
      if (besideId !== undefined) this.#appendedBytes += ltxBytes;
    }
    this.#appendedBytes += size;
    this.#next = { offset: segment.end, lsn: lsn + 1, link: crcAtEnd(header) };
    this.published.publishLast(lsn);
    return lsn;
  }

  /** Makes everything that was appended durable before it returns. Throws LogFailedError. */
  sync(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#durableLsn === this.lastLsn) return;
    this.#syncNow(this.#segments.at(-1)!);
  }

  /**
   * The same without waiting; `done` is called when durableLsn has moved, or the log has failed.
   */
  syncInBackground(done: () => void): void {
    if (this.#failure !== undefined || this.#durableLsn === this.lastLsn) return done();
    const segment = this.#segments.at(-1)!;
    const target = this.lastLsn;
    this.#syncing.add(segment);
    this.#options.background.sync('log.sync', segment.file, (error) => {
      this.#syncing.delete(segment);
      if (error !== undefined) this.fail(error);
      else this.#markDurable(target);
      if (!this.#segments.includes(segment)) segment.file.close();
      done();
    });
  }

  /** Remembers, durably, that all databases have everything up to this record. */
  cover(coveredLsn: number): void {
    const first = this.#segments[0];
    if (first !== undefined) this.#setBounds({ firstLsn: first.header.firstLsn, coveredLsn });
  }

  /**
   * Gives up segments that the limits do not keep, and the LTX files that they name. Never the last
   * segment.
   */
  trim(limits: TrimLimits): void {
    const { disk, folder } = this.#options;
    const first = this.#firstKept(limits);
    if (first === undefined) return;
    const { firstLsn } = first.header;
    this.#setBounds({ firstLsn, coveredLsn: limits.coveredLsn });
    // Before any file goes: who reads one just now learns that it may have been another.
    this.published.publishFirst(firstLsn);
    while (this.#segments[0] !== first) {
      const segment = this.#segments[0]!;
      const { besideIds } = segment.index;
      // In this order: none of those that stay may miss one before it, nor name a missing file.
      if (!this.#spare.tryRecycle(segment.path)) disk.remove('log.trim', segment.path);
      this.#segments.shift();
      if (!this.#syncing.has(segment)) segment.file.close();
      if (besideIds.length > 0) disk.syncDirectory('log.trim.sync', folder);
      for (const id of besideIds) disk.remove('log.trim.beside', besidePath(folder, id));
    }
  }

  #firstKept({ coveredLsn, beforeMs, bytesMax, keepsPinned }: TrimLimits): Segment | undefined {
    const neededLsn = this.published.neededLsn || Infinity;
    const pinnedLsn = (keepsPinned && this.published.pinnedLsn) || Infinity;
    let first = this.#segments.at(-1);
    let youngestMs = Infinity;
    let bytes = 0;
    for (const segment of this.#segments.toReversed()) {
      const { lastLsn, lastTimestampMs, header } = segment;
      // None is younger than one behind it, though a clock that was ahead said so.
      if (lastLsn >= header.firstLsn) youngestMs = Math.min(youngestMs, lastTimestampMs);
      bytes += this.#bytesOf(segment);
      const isWanted = youngestMs >= beforeMs || lastLsn >= neededLsn;
      const isKept = lastLsn > coveredLsn || lastLsn >= pinnedLsn;
      if (isKept || (isWanted && bytes <= bytesMax)) first = segment;
    }
    return first;
  }

  /** What a segment takes of the disk, with the files that it names. */
  #bytesOf({ end, index }: Segment): number {
    const { disk, folder } = this.#options;
    let bytes = end;
    for (const id of index.besideIds) {
      bytes += disk.stat('log.trim.stat', besidePath(folder, id))?.sizeBytes ?? 0;
    }
    return bytes;
  }

  /** Nothing is appended any more: what the disk holds is not known. */
  fail(error: unknown): LogFailedError {
    if (!(error instanceof DiskError)) throw error;
    if (this.#failure === undefined) {
      this.#failure = new LogFailedError(error);
      this.#options.log.error('The log failed: no writes until the node is restarted', {
        error: error.message,
      });
    }
    return this.#failure;
  }

  close(): void {
    for (const segment of this.#segments.splice(0)) {
      if (!this.#syncing.has(segment)) segment.file.close();
    }
  }

  /** The segment that takes a record of `size` bytes: the last one, or a new one behind it. */
  #segmentFor(size: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && this.#isGoodFor(last, size)) return last;
    const segment = this.#startSegment();
    if (last !== undefined && !last.isSealed) this.#seal(last);
    this.#segments.push(segment);
    this.published.publishTail(segment.header.sequence);
    this.#spare.prepare();
    return segment;
  }

  #isGoodFor(last: Segment, size: number): boolean {
    const { segmentBytes } = this.#options;
    if (last.isSealed) return false;
    if (last.lastLsn < last.header.firstLsn) return true;
    // The first one of a node, or one that recovery has cut: each sync of it takes twice the time.
    const isSlow = last.preparedBytes < segmentBytes && this.#spare.isReady;
    return !isSlow && last.end + size <= segmentBytes;
  }

  /**
   * Invariant: a segment starts only when everything before it is durable. So the records that a
   * power cut can take are all in the last segment.
   *
   * Its header is durable before there is a record, and before the segment before it is sealed: a
   * header that is damaged, or a segment that is missing, is never taken for a crash.
   */
  #startSegment(): Segment {
    this.sync();
    const { disk, folder } = this.#options;
    const sequence = this.#nextSequence;
    const path = `${folder}/${formatSegmentName(sequence)}`;
    const isPrepared = this.#spare.tryTake(path);
    const file = disk.open('log.segment.create', path, isPrepared ? 'update' : 'create');
    try {
      disk.syncDirectory('log.segment.name', folder);
      const { lsn, link } = this.#next;
      const segment = startSegment(path, file, { sequence, firstLsn: lsn, link });
      file.sync('log.segment.sync');
      if (this.#segments.length === 0) this.#setBounds({ firstLsn: lsn, coveredLsn: lsn - 1 });
      this.#nextSequence = sequence + 1;
      return segment;
    } catch (error) {
      file.close();
      // In this order: the one without the other would be a log that has lost its records.
      if (this.#segments.length === 0) removeLogBounds(disk, folder);
      disk.remove('log.segment.remove', path);
      throw error;
    }
  }

  #setBounds(bounds: LogBounds): void {
    const { firstLsn, coveredLsn } = bounds;
    assert(coveredLsn <= this.#durableLsn, 'Databases have what is not durable');
    if (this.#bounds?.firstLsn === firstLsn && this.#bounds.coveredLsn === coveredLsn) return;
    writeLogBounds(this.#options.disk, this.#options.folder, bounds);
    this.#bounds = bounds;
  }

  #seal(segment: Segment): void {
    try {
      sealSegment(segment);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // The index only saves time; without it the records are read.
      this.#options.log.warn('Cannot seal a log segment', { error: error.message });
      segment.isSealed = true;
    }
  }

  #writeRecord(
    file: DiskFile,
    position: number,
    header: Uint8Array,
    entries: readonly LogEntry[],
  ): void {
    this.#position = position;
    this.#buffered = 0;
    const sink: ByteSink = (bytes, start, end) => this.#put(file, bytes, start, end);
    sink(header, 0, header.length);
    for (const entry of entries) {
      if (entry.besideId !== undefined) continue;
      entry.write(sink);
      sink(ZEROS, 0, padTo8(entry.ltxBytes) - entry.ltxBytes);
    }
    this.#flush(file);
  }

  /**
   * Whoever waits for the record is told that it failed: a start must not find it, though all of it
   * may have been written.
   */
  #retract(file: DiskFile, end: number): void {
    try {
      if (file.size('log.append.size') > end) file.truncate('log.append.undo', end);
    } catch (error) {
      throw this.fail(error);
    }
  }

  #put(file: DiskFile, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#buffered === BUFFER_BYTES) this.#flush(file);
      const count = Math.min(end - at, BUFFER_BYTES - this.#buffered);
      this.#buffer.set(bytes.subarray(at, at + count), this.#buffered);
      this.#buffered += count;
      at += count;
    }
  }

  #flush(file: DiskFile): void {
    if (this.#buffered === 0) return;
    file.write('log.append', this.#buffer, 0, this.#buffered, this.#position);
    this.#position += this.#buffered;
    this.#buffered = 0;
  }

  #syncNow(segment: Segment): void {
    const target = this.lastLsn;
    try {
      segment.file.sync('log.sync');
    } catch (error) {
      throw this.fail(error);
    }
    this.#markDurable(target);
  }

  /** A sync has returned that began when `lsn` was the last record. */
  #markDurable(lsn: number): void {
    assert(lsn <= this.lastLsn, 'What was never appended is durable');
    if (lsn <= this.#durableLsn) return;
    this.#durableLsn = lsn;
    this.published.publishDurable(lsn);
  }
}

/** The file of an LTX that is too large for a record. */
export function besidePath(folder: string, id: bigint): string {
  return `${folder}/${id.toString(16).padStart(16, '0')}.ltx`;
}

function crcAtEnd(header: Uint8Array): bigint {
  return new DataView(header.buffer, header.byteOffset).getBigUint64(header.length - 8);
}
