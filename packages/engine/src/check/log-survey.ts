// Reads the whole log, past what is damaged in it.
//
// Where a record is damaged the next whole one is looked for behind it. What lay between is lost; a
// handler is told, and goes on with what follows.

import type { Disk } from '@skein/host';

import { LOG_START_NAME, readLogStart } from '../log/log-start.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import { maybeParseSegmentName } from '../log/segment-header.ts';
import type { LogHandler } from './log-handler.ts';
import { SegmentSurvey } from './segment-survey.ts';
import type { SurveyProgress } from './survey-file.ts';

export interface LogSurveyOptions {
  readonly disk: Disk;
  readonly progress: SurveyProgress;
  /** The folder of the log. */
  readonly folder: string;
  /** The last LSN that was ever durable, as far as anything else knows. */
  readonly knownLsn: number;
}

export interface LogSurvey {
  /** Names of segments, in order. */
  readonly segments: readonly string[];
  /** Where the next record goes; undefined in a log that never had one. */
  readonly next: ChainPlace | undefined;
  readonly lastSequence: number;
  /** The last LSN that was ever durable, as far as anything but the log knows. */
  readonly knownLsn: number;
  /** The end of the log is gone, and nobody knows how much that was. */
  readonly isEndLost: boolean;
  /** Files that records name. */
  readonly besideIds: ReadonlySet<bigint>;
}

const RESTORE_HINT =
  'How many transactions are lost is not known. Put the file back from a copy of the data folder, ' +
  'or begin a new one: each dbs/*/database is a SQLite database as of its last checkpoint';

export function surveyLog(options: LogSurveyOptions, handler: LogHandler): LogSurvey {
  const names = options.disk
    .list('check.list', options.folder)
    .filter((name) => maybeParseSegmentName(name) !== undefined);
  const segments: SegmentSurvey[] = [];
  try {
    for (const name of names) segments.push(new SegmentSurvey(options, handler, name));
    return surveySegments(options, handler, segments);
  } finally {
    for (const segment of segments) segment.close();
  }
}

function surveySegments(
  options: LogSurveyOptions,
  handler: LogHandler,
  segments: readonly SegmentSurvey[],
): LogSurvey {
  const hadRecords = surveyStart(options, handler, segments[0]) || options.knownLsn > 0;
  let place: ChainPlace | undefined;
  for (const [n, segment] of segments.entries()) {
    place = segment.survey(place, segments[n + 1], segments[n - 1]?.isSealed === true);
  }
  const last = segments.at(-1);
  const isEndLost = last === undefined ? hadRecords : last.isSealed;
  if (isEndLost) reportLostEnd(handler, last);
  return {
    segments: segments.map(({ name }) => name),
    next: place,
    lastSequence: last?.sequence ?? 0,
    knownLsn: options.knownLsn,
    isEndLost,
    besideIds: new Set(segments.flatMap(({ besideIds }) => [...besideIds])),
  };
}

/** Whether the log begins where it should. Returns whether there ever was a record. */
function surveyStart(
  { disk, folder }: LogSurveyOptions,
  handler: LogHandler,
  first: SegmentSurvey | undefined,
): boolean {
  const file = `log/${LOG_START_NAME}`;
  const start = readLogStart(disk, folder);
  const firstLsn = first?.firstLsn;
  const isMissing = start === undefined && firstLsn !== undefined && firstLsn > 1;
  if (start === 'damaged' || isMissing) {
    const what = isMissing ? 'it is missing' : 'it is damaged';
    handler.fault({
      kind: 'damage',
      file,
      what,
      ...(firstLsn !== undefined && { remedy: { kind: 'log-start', firstLsn } }),
    });
  } else if (firstLsn !== undefined && firstLsn > (start ?? 1)) {
    const what = `records ${start ?? 1} to ${firstLsn - 1} are missing before it`;
    handler.fault({ kind: 'damage', file: first!.file, what, remedy: { kind: 'new-log' } });
    handler.lose(firstLsn - 1, undefined);
  }
  return start !== undefined;
}

function reportLostEnd(handler: LogHandler, last: SegmentSurvey | undefined): void {
  const what =
    last === undefined ? 'it holds no segment, but once did' : 'the segment behind it is missing';
  handler.fault({ kind: 'damage', file: last?.file ?? 'log', what, hint: RESTORE_HINT });
  handler.lose(Number.MAX_SAFE_INTEGER, undefined);
}
