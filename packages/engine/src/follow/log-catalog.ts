// What is in the log, for those who follow it: where each database stands, and from which record on
// its transactions are kept.
//
// Of sealed segments only the index is read. From the first other one on the records are read,
// their heads and ends alone, whenever somebody looks: so it costs little however large the
// transactions are.
//
// Invariant: `states` are of durable transactions, and behind no record that refresh() has passed.

import { HEADER_SIZE, type Position, TRAILER_SIZE } from '@skein/ltx';

import type { DatabaseState } from '../database/database-state.ts';
import type { RecordEntry, RecordHeader } from '../log/record.ts';
import { maybeOpenToRead } from '../log/segment.ts';
import { maybeParseSegmentName, SEGMENT_RECORDS_AT } from '../log/segment-header.ts';
import { SegmentIndex } from '../log/segment-index.ts';
import { type FollowedLog, LogFollower, type LogPlace } from './log-follower.ts';
import { ltxFacts, type LtxFacts, openBeside } from './ltx-facts.ts';

/** Where a database stands, durably. */
export interface FollowedState {
  readonly position: Position;
  /** 0: it was dropped. */
  readonly pageCount: number;
  /** Undefined once it was dropped. */
  readonly pageSize: number | undefined;
  /** The record of its last transaction. */
  readonly lsn: number;
}

export type NamedState = readonly [name: string, state: FollowedState];

interface CatalogSegment {
  readonly sequence: number;
  readonly firstLsn: number;
  readonly index: SegmentIndex;
}

export function followedState({ txid, checksum, ...state }: DatabaseState): FollowedState {
  const { pageCount, pageSize, lsn } = state;
  return { position: { txid, checksum }, pageCount, pageSize, lsn };
}

export class LogCatalog {
  readonly #log: FollowedLog;
  readonly #states: Map<string, FollowedState>;
  readonly #positions = new Map<string, Position>();
  readonly #segments: CatalogSegment[] = [];
  readonly #follower: LogFollower;
  /** Where the ends of each LTX file are read. */
  readonly #header = new Uint8Array(HEADER_SIZE);
  readonly #trailer = new Uint8Array(TRAILER_SIZE);

  /** `states`: of all databases, at some moment when all of it was durable. */
  constructor(log: FollowedLog, states: Iterable<NamedState>) {
    this.#log = log;
    this.#states = new Map(states);
    for (const [name, { position }] of this.#states) this.#positions.set(name, position);
    this.#follower = new LogFollower(log, this.#openSealed());
  }

  get states(): ReadonlyMap<string, FollowedState> {
    return this.#states;
  }

  get positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  /** Behind the last record that it knows. */
  get nextLsn(): number {
    return this.#follower.nextLsn;
  }

  /** Takes in whatever has become durable. Throws as LogFollower does. */
  refresh(): void {
    const follower = this.#follower;
    if (follower.nextLsn > this.#log.published.durableLsn) return;
    follower.begin();
    this.#readBatch();
    follower.assertKept();
    while (this.#isGone(0)) this.#segments.shift();
  }

  /**
   * The first record that has to be read to find transaction `txid` of a database. Undefined when
   * the log has it no more.
   */
  findFirst(name: string, txid: bigint): number | undefined {
    const kept = this.#log.published.firstLsn;
    for (const { index, firstLsn } of this.#segments.toReversed()) {
      if (firstLsn < kept) return undefined;
      const span = index.databases.get(name);
      if (span === undefined || txid > span.lastTxid) continue;
      if (txid >= span.firstTxid) return span.firstLsn;
    }
    return undefined;
  }

  /** Where a record is that findFirst() has told, or the next one to come. */
  placeOf(lsn: number): LogPlace | number {
    if (lsn === this.nextLsn) return this.#follower.place ?? lsn;
    const segment = this.#segments.findLast(({ firstLsn }) => firstLsn <= lsn);
    if (segment === undefined) return lsn;
    const { sequence, firstLsn, index } = segment;
    return { lsn, sequence, offset: index.offsetOf(lsn - firstLsn) };
  }

  close(): void {
    this.#follower.close();
  }

  #readBatch(): void {
    const follower = this.#follower;
    for (let header = follower.peek(); header !== undefined; header = follower.peek()) {
      for (const entry of header.entries) {
        const before = this.#states.get(entry.database);
        if (header.lsn > (before?.lsn ?? 0)) this.#take(entry, header, this.#facts(entry));
      }
      const { sequence, offset } = follower.place!;
      this.#segmentOf(sequence, header.lsn).index.add(header.lsn, offset, header.entries);
      follower.pass();
    }
  }

  #take({ database }: RecordEntry, { lsn }: RecordHeader, facts: LtxFacts): void {
    const { position, pageCount, pageSize } = facts;
    this.#states.set(database, {
      position,
      pageCount,
      pageSize: pageCount === 0 ? undefined : pageSize,
      lsn,
    });
    this.#positions.set(database, position);
  }

  #facts(entry: RecordEntry): LtxFacts {
    if (entry.besideId !== undefined) {
      const { file, facts } = openBeside(this.#log.disk, this.#log.folder, entry);
      file.close();
      return facts;
    }
    const end = entry.ltxBytes - TRAILER_SIZE;
    this.#follower.read(entry, 0, this.#header);
    this.#follower.read(entry, end, this.#trailer);
    return ltxFacts(this.#header, this.#trailer);
  }

  #segmentOf(sequence: number, firstLsn: number): CatalogSegment {
    const last = this.#segments.at(-1);
    if (last?.sequence === sequence) return last;
    const segment = { sequence, firstLsn, index: new SegmentIndex() };
    this.#segments.push(segment);
    return segment;
  }

  #isGone(n: number): boolean {
    const next = this.#segments[n + 1];
    return next !== undefined && next.firstLsn <= this.#log.published.firstLsn;
  }

  /** Reads the indexes of segments that are sealed; returns where the records have to be read. */
  #openSealed(): LogPlace | number {
    const { disk, folder, published } = this.#log;
    for (const name of disk.list('follow.list', folder)) {
      const sequence = maybeParseSegmentName(name);
      if (sequence === undefined) continue;
      const segment = maybeOpenToRead(disk, folder, sequence);
      if (segment === undefined) continue;
      segment.file.close();
      const { header, index, isSealed } = segment;
      const { firstLsn } = header;
      if (!isSealed) return { lsn: firstLsn, sequence, offset: SEGMENT_RECORDS_AT };
      this.#segments.push({ sequence, firstLsn, index });
    }
    const last = this.#segments.at(-1);
    return last === undefined ? published.firstLsn : last.firstLsn + last.index.recordCount;
  }
}
