// What the ends of an LTX file say of a transaction, without its pages: to which state it applies
// and to which it leads.

import { decodeHeader, decodeTrailer, HEADER_SIZE, TRAILER_SIZE } from '@skein/ltx';
import type { Checksum, Position, Txid } from '@skein/ltx';
import type { Disk, DiskFile } from '@skein/host';

import { DAMAGE_HINT, DamageError } from '../errors.ts';
import type { RecordEntry } from '../log/record.ts';
import { besidePath } from '../log/transaction-log.ts';

export interface LtxFacts {
  readonly minTxid: Txid;
  /** Checksum of the database before; none in a file that has every page. */
  readonly preApplyChecksum: Checksum;
  readonly position: Position;
  /** Afterwards; 0: the database was dropped. */
  readonly pageCount: number;
  readonly pageSize: number;
}

/** Decodes an LTX header and a trailer. Throws LtxFormatError. */
export function ltxFacts(header: Uint8Array, trailer: Uint8Array): LtxFacts {
  const { minTxid, maxTxid, preApplyChecksum, commit, pageSize } = decodeHeader(header);
  const { postApplyChecksum } = decodeTrailer(trailer);
  const position = { txid: maxTxid, checksum: postApplyChecksum };
  return { minTxid, preApplyChecksum, position, pageCount: commit, pageSize };
}

/** An LTX file beside the log. Whoever has it open can read it although the log gives it up. */
export interface BesideFile {
  readonly file: DiskFile;
  readonly facts: LtxFacts;
}

/** Opens the file that an entry names. Throws DiskError, DamageError. */
export function openBeside(disk: Disk, folder: string, entry: RecordEntry): BesideFile {
  const { besideId, ltxBytes } = entry;
  const path = besidePath(folder, besideId!);
  const file = disk.open('follow.beside.open', path, 'read');
  try {
    const header = new Uint8Array(HEADER_SIZE);
    const trailer = new Uint8Array(TRAILER_SIZE);
    file.read('follow.beside.read', header, 0, HEADER_SIZE, 0);
    const count = file.read(
      'follow.beside.read',
      trailer,
      0,
      TRAILER_SIZE,
      ltxBytes - TRAILER_SIZE,
    );
    const facts = ltxFacts(header, trailer);
    const isWhole = count === TRAILER_SIZE && file.size('follow.beside.size') === ltxBytes;
    if (!isWhole || facts.position.txid !== entry.maxTxid) throw notWhole(path, entry);
    return { file, facts };
  } catch (error) {
    file.close();
    throw error;
  }
}

function notWhole(path: string, { database, maxTxid }: RecordEntry): DamageError {
  const file = `log/${path.slice(path.lastIndexOf('/') + 1)}`;
  return new DamageError(
    'LOG_CORRUPT',
    `Cannot follow the log: ${file} is another LTX file than the log says`,
    { file, database, txid: maxTxid },
    { hint: DAMAGE_HINT },
  );
}
