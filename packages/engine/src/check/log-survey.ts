// Reads the whole log, past what is damaged in it.
//
// Where a record is damaged the next whole one is looked for behind it. What lay between is lost; a
// handler is told, and goes on with what follows.

import type { Disk } from '@skein/host';

import type { LogBounds } from '../log/log-bounds.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import { formatSegmentName, maybeParseSegmentName } from '../log/segment-header.ts';
import { formatRecords } from './format-records.ts';
import type { LogHandler } from './log-handler.ts';
import { type SegmentContext, SegmentSurvey } from './segment-survey.ts';

export interface LogSurvey {
  /** Names of segments, in order. */
  readonly segments: readonly string[];
  /** LSN of the first record. */
  readonly firstLsn: number | undefined;
  /** Where the next record goes; undefined in a log that never had one. */
  readonly next: ChainPlace | undefined;
  readonly lastSequence: number;
  /** The last LSN that was ever durable, as far as anything but the log knows. */
  readonly knownLsn: number;
  readonly bounds: LogBounds | undefined;
  /** The end of the log is gone, and nobody knows how much that was. */
  readonly isEndLost: boolean;
  /** Files that records name. */
  readonly besideIds: ReadonlySet<bigint>;
}

const RESTORE_HINT =
  'How many transactions are lost is not known. Put the file back from a copy of the data ' +
  'folder, or begin a new one: each dbs/*/database is a SQLite database as of its last checkpoint';

export function surveyLog(options: SegmentContext, handler: LogHandler): LogSurvey {
  const names = options.disk
    .list('check.list', options.folder)
    .filter((name) => maybeParseSegmentName(name) !== undefined)
    .filter((name) => isFile(options.disk, `${options.folder}/${name}`));
  const segments: SegmentSurvey[] = [];
  try {
    for (const name of names) segments.push(new SegmentSurvey(options, handler, name));
    return surveySegments(options, handler, segments);
  } finally {
    for (const segment of segments) segment.close();
  }
}

function isFile(disk: Disk, path: string): boolean {
  return disk.stat('check.stat', path)?.isDirectory === false;
}

function surveySegments(
  options: SegmentContext,
  handler: LogHandler,
  segments: readonly SegmentSurvey[],
): LogSurvey {
  const { bounds, knownLsn } = options;
  const first = segments[0];
  const last = segments.at(-1);
  const firstLsn = first?.firstLsn;
  if (bounds !== undefined && firstLsn !== undefined && firstLsn > bounds.firstLsn) {
    reportMissing(handler, first!.sequence - 1, bounds.firstLsn, firstLsn - 1);
  }
  let place: ChainPlace | undefined;
  for (const [n, segment] of segments.entries()) {
    const before = segments[n - 1];
    const nextLsn = segment.firstLsn;
    const isGap = before !== undefined && segment.sequence > before.sequence + 1;
    if (isGap && place !== undefined && nextLsn !== undefined && nextLsn > place.lsn) {
      reportMissing(handler, before.sequence + 1, place.lsn, nextLsn - 1);
      place = undefined;
    }
    place = segment.survey(place, segments[n + 1], before?.isSealed === true);
  }
  const isEndLost = last === undefined ? bounds !== undefined || knownLsn > 0 : last.isSealed;
  if (isEndLost) reportLostEnd(handler, last);
  return {
    segments: segments.map(({ name }) => name),
    firstLsn,
    next: place,
    lastSequence: last?.sequence ?? 0,
    knownLsn,
    bounds,
    isEndLost,
    besideIds: new Set(segments.flatMap(({ besideIds }) => [...besideIds])),
  };
}

function reportMissing(
  handler: LogHandler,
  sequence: number,
  firstLsn: number,
  lastLsn: number,
): void {
  handler.fault({
    kind: 'damage',
    file: `log/${formatSegmentName(sequence)}`,
    lsn: firstLsn,
    what: `it is missing, with ${formatRecords(firstLsn, lastLsn)}`,
    remedy: { kind: 'new-log' },
  });
  handler.lose(lastLsn, undefined);
}

function reportLostEnd(handler: LogHandler, last: SegmentSurvey | undefined): void {
  const isEmpty = last === undefined;
  handler.fault({
    kind: 'damage',
    file: isEmpty ? 'log' : `log/${formatSegmentName(last.sequence + 1)}`,
    what: isEmpty ? 'it holds no segment, but once did' : 'it is missing, with what came after it',
    hint: RESTORE_HINT,
  });
  handler.lose(Number.MAX_SAFE_INTEGER, undefined);
}
