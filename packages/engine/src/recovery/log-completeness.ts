// Whether a log that was found is all of it: from the first record that it must have to the last
// that is known, with no segment missing in between.

import type { Disk } from '@skein/host';

import { DAMAGE_HINT, DamageError } from '../errors.ts';
import { LOG_BOUNDS_NAME, readLogBounds } from '../log/log-bounds.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import type { Segment } from '../log/segment.ts';

/**
 * Throws DamageError when records are missing before the first segment. Returns the last LSN that
 * was durable, as far as the bounds tell.
 */
export function assertStart(
  { disk, folder }: { readonly disk: Disk; readonly folder: string },
  segments: readonly Segment[],
): number {
  const bounds = readLogBounds(disk, folder);
  if (bounds === 'damaged') throw damagedLog(LOG_BOUNDS_NAME, 'it is not as it was written');
  const first = segments[0];
  if (bounds === 'missing') {
    if ((first?.header.firstLsn ?? 1) > 1) throw damagedLog(LOG_BOUNDS_NAME, 'it is missing');
    return 0;
  }
  const { firstLsn, coveredLsn } = bounds;
  if (first === undefined) throw damagedLog('', 'there is no segment in it, but once there was');
  if (first.header.firstLsn <= firstLsn) return coveredLsn;
  throw damagedSegment(first.path, `record ${firstLsn} is missing before it`);
}

/** Segments follow each other without a gap. */
export function assertContinues({ path, header }: Segment, place: ChainPlace | undefined): void {
  if (place === undefined) return;
  if (place.lsn === header.firstLsn && place.link === header.link) return;
  throw damagedSegment(path, `record ${place.lsn} is missing before it`);
}

/** `place` is behind the last record, `knownLsn` the last one that was ever durable. */
export function assertComplete(
  knownLsn: number,
  segments: readonly Segment[],
  place: ChainPlace | undefined,
): void {
  const last = segments.at(-1);
  if (last?.hasSuccessor === true) {
    throw damagedSegment(last.path, 'the segment that came after it is missing');
  }
  if (knownLsn === 0 || (place !== undefined && place.lsn > knownLsn)) return;
  const reason = `it ends before record ${knownLsn}, which was durable`;
  throw last === undefined ? damagedLog('', reason) : damagedSegment(last.path, reason);
}

export function damagedSegment(path: string, reason: string): DamageError {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return new DamageError(
    'LOG_CORRUPT',
    `Log segment ${file} is damaged: ${reason}`,
    { file: `log/${file}` },
    { hint: DAMAGE_HINT },
  );
}

function damagedLog(name: string, reason: string): DamageError {
  const file = name === '' ? 'log' : `log/${name}`;
  const message = `Cannot open the log, ${file} is damaged: ${reason}`;
  return new DamageError('LOG_CORRUPT', message, { file }, { hint: DAMAGE_HINT });
}
