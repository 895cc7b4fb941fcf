// Before a database is made anew from the primary's: what this node has of it that the primary
// perhaps never had is kept aside as LTX files:
//
//   dbs/<name>/diverged/<epoch>-<node>/<first TXID>-<last TXID>.ltx
//
// with the epoch and the id of this node. They are the transactions at the end of the log that were
// made here, when this node was primary; and those of a primary before that go further than what
// comes. Older ones are in every snapshot, or in a folder of before. Bounded: the newest
// transactions of DIVERGED_BYTES_MAX, in the newest DIVERGED_FOLDERS_MAX folders of a database.
// Where one history leaves the other is not known here: what another node has made, and the new
// primary has gone past, is not told from what they share, and is not kept.

import { formatHex64, readWhole } from '@skein/bytes';
import {
  decodeHeader,
  formatLtxFileName,
  formatPosition,
  HEADER_SIZE,
  type LtxHeader,
  type Txid,
} from '@skein/ltx';

import type { EngineContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/jobs.ts';
import type { RecoveredTransaction } from '../recovery/recovered-record.ts';
import type { LogReader } from './logged.ts';
import { maybeReadLogged } from './logged.ts';

const DIVERGED_BYTES_MAX = 64 * 1024 * 1024;
const DIVERGED_FOLDERS_MAX = 8;

/** Records that are looked at in one step. */
const STEP_RECORDS = 256;

const COPY_BYTES = 1024 * 1024;

export interface DivergedOptions {
  readonly context: EngineContext;
  readonly logReader: LogReader;
  readonly database: Database;
  /** What is about to take its place. */
  readonly healed: LtxHeader;
}

/** Throws DiskError: the database is not made anew then. */
export function* keepDiverged(options: DivergedOptions): Job<void> {
  const { context, database, healed } = options;
  const kept = yield* findDiverged(options);
  if (kept.length === 0) return;
  const { disk, nodeId, term, log } = context;
  const diverged = `${database.folder}/diverged`;
  const folder = `${diverged}/${term.epoch}-${formatHex64(nodeId)}`;
  disk.makeDirectory('diverged.make', folder);
  for (const transaction of kept) {
    copyLtx(options, transaction, `${folder}/${fileName(transaction)}`);
    yield;
  }
  disk.syncDirectory('diverged.sync', folder);
  disk.syncDirectory('diverged.sync', diverged);
  disk.syncDirectory('diverged.sync', database.folder);
  removeOldest(context, diverged);
  log.warn('Transactions of this node are kept aside: the primary may not have them', {
    database: database.name,
    position: formatPosition(database.state),
    snapshotTxid: healed.maxTxid.toString(16),
    count: kept.length,
    folder,
  });
}

/** From the end of the log on: those that were made here, or that what comes does not go beyond. */
function* findDiverged(options: DivergedOptions): Job<RecoveredTransaction[]> {
  const { context, logReader, database, healed } = options;
  const { segments } = logReader.log;
  const kept: RecoveredTransaction[] = [];
  const bytes = new Uint8Array(HEADER_SIZE);
  let keptBytes = 0;
  for (const segment of segments.toReversed()) {
    const span = segment.index.databases.get(database.name);
    if (span === undefined) continue;
    for (let lsn = span.lastLsn; lsn >= span.firstLsn; lsn--) {
      if (lsn % STEP_RECORDS === 0) yield;
      const found = maybeReadLogged(logReader, lsn)?.find(
        ({ entry }) => entry.database === database.name,
      );
      if (found === undefined) continue;
      readWhole(found.source, bytes, 0);
      keptBytes += found.entry.ltxBytes;
      const isOwn = decodeHeader(bytes).nodeId === context.nodeId;
      const isBeyond = found.entry.maxTxid >= healed.maxTxid;
      if (!(isOwn || isBeyond) || keptBytes > DIVERGED_BYTES_MAX) return kept;
      kept.push(found);
    }
  }
  return kept;
}

function fileName({ entry }: RecoveredTransaction): string {
  const { minTxid, maxTxid } = entry;
  return formatLtxFileName({ minTxid: minTxid as Txid, maxTxid: maxTxid as Txid });
}

function copyLtx(
  { context }: DivergedOptions,
  { source, entry }: RecoveredTransaction,
  path: string,
): void {
  const file = context.disk.open('diverged.create', path, 'create');
  try {
    const buffer = new Uint8Array(Math.min(COPY_BYTES, entry.ltxBytes));
    for (let at = 0; at < entry.ltxBytes;) {
      const wanted = Math.min(buffer.length, entry.ltxBytes - at);
      readWhole(source, buffer.subarray(0, wanted), at);
      file.write('diverged.write', buffer, 0, wanted, at);
      at += wanted;
    }
    file.sync('diverged.sync');
  } finally {
    file.close();
  }
}

/** By epoch: the names sort as numbers once they are of one length. */
function removeOldest({ disk }: EngineContext, diverged: string): void {
  const epochOf = (name: string): number => Number.parseInt(name, 10);
  const names = disk.list('diverged.list', diverged).sort((a, b) => epochOf(a) - epochOf(b));
  for (const name of names.slice(0, -DIVERGED_FOLDERS_MAX)) {
    disk.removeDirectory('diverged.remove', `${diverged}/${name}`);
  }
}
