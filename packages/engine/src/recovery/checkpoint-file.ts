// `checkpoint.json` of a database: up to which transaction its file and the sidecar with the
// checksums are complete on disk. What came later is in the log.

import type { Disk } from '@skein/host';
import {
  formatChecksum,
  formatTxid,
  isPageSize,
  maybeParseChecksum,
  maybeParseTxid,
} from '@skein/ltx';

import { readAtomicFile, writeAtomicFile } from '../data-folder/atomic-file.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { DAMAGE_HINT, DamageError } from '../errors.ts';

const VERSION = 1;

interface CheckpointJson {
  readonly version: number;
  readonly pageSize: number | null;
  readonly pageCount: number;
  readonly txid: string;
  readonly checksum: string;
  readonly lsn: number;
}

function checkpointPath(folder: string): string {
  return `${folder}/checkpoint.json`;
}

export function writeCheckpoint(disk: Disk, folder: string, state: DatabaseState): void {
  const json: CheckpointJson = {
    version: VERSION,
    pageSize: state.pageSize ?? null,
    pageCount: state.pageCount,
    txid: formatTxid(state.txid),
    checksum: formatChecksum(state.checksum),
    lsn: state.lsn,
  };
  writeAtomicFile(disk, 'checkpoint', checkpointPath(folder), json);
}

/** A database has one before its first transaction: one that has none has lost it. */
export function hasCheckpoint(disk: Disk, folder: string): boolean {
  return disk.stat('checkpoint.stat', checkpointPath(folder)) !== undefined;
}

/** Undefined when there was no checkpoint yet. Throws DamageError. */
export function readCheckpoint(
  disk: Disk,
  folder: string,
  name: string,
): DatabaseState | undefined {
  const value = readAtomicFile(disk, 'checkpoint', checkpointPath(folder));
  if (value === 'missing') return undefined;
  const state = value === 'damaged' ? undefined : maybeDecodeCheckpoint(value as object);
  if (state === undefined) {
    const file = `dbs/${name}/checkpoint.json`;
    throw new DamageError(
      'CHECKPOINT_CORRUPT',
      `Cannot open ${name}: ${file} is damaged`,
      { file, database: name },
      { hint: DAMAGE_HINT },
    );
  }
  return state;
}

/** Undefined when the value cannot be a checkpoint. */
export function maybeDecodeCheckpoint(value: object): DatabaseState | undefined {
  const json = value as CheckpointJson;
  const { version, pageSize, pageCount, lsn } = json;
  const txid = maybeParseTxid(json.txid);
  const checksum = maybeParseChecksum(json.checksum);
  const isOurs =
    version === VERSION &&
    (pageSize === null ? pageCount === 0 : isPageSize(pageSize)) &&
    [pageCount, lsn].every((number) => Number.isSafeInteger(number) && number >= 0);
  if (!isOurs || txid === undefined || checksum === undefined) return undefined;
  return { pageSize: pageSize ?? undefined, pageCount, txid, checksum, lsn };
}
