// Begins the log anew behind where the old one ends, when that is damaged in what the databases do
// not need: no transaction is lost, but for who follows the log.

import { writeLogBounds } from '../log/log-bounds.ts';
import { formatSegmentName } from '../log/segment-header.ts';
import { startSegment } from '../log/segment.ts';
import { rebuildDatabases, type RepairContext } from './rebuild.ts';
import type { Survey } from './survey.ts';

export function beginLogAnew(context: RepairContext, { log, databases }: Survey): void {
  const { disk, folder, originals } = context;
  const plans = [...databases.values()].flatMap(({ plan }) => plan ?? []);
  rebuildDatabases(
    context,
    log,
    plans.filter(({ logged, state }) => logged.checkpoint?.lsn !== state.lsn),
  );

  // The new segment continues the old ones: a crash in between leaves one log.
  const sequence = log.lastSequence + 1;
  const path = `${folder.log}/${formatSegmentName(sequence)}`;
  const firstLsn = Math.max(log.next?.lsn ?? 1, log.knownLsn + 1);
  const file = disk.open('repair.segment.create', path, 'create');
  try {
    startSegment(path, file, { sequence, firstLsn, link: log.next?.link ?? 0n });
    file.sync('repair.segment.sync');
  } finally {
    file.close();
  }
  disk.syncDirectory('repair.segment.name', folder.log);
  writeLogBounds(disk, folder.log, { firstLsn, coveredLsn: firstLsn - 1 });
  for (const name of log.segments) originals.move(`log/${name}`);
}
