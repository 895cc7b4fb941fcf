// Makes a sidecar from the pages of a database, if they are the right ones.

import { Crc64 } from '@skein/bytes';
import type { Disk, DiskFile } from '@skein/host';
import { DatabaseChecksum, formatChecksum } from '@skein/ltx';
import { lockPgno } from '@skein/sqlite-file';

import type { DatabaseState } from '../database/database-state.ts';
import { DamageError } from '../errors.ts';
import {
  blockBytes,
  CHECKSUM_BLOCK_BYTES,
  checksumBlockOf,
  CHECKSUMS_PER_BLOCK,
  checksumSlotOf,
  encodeChecksumHeader,
  newChecksumBlock,
  sealChecksumBlock,
} from '../pages/checksum-block.ts';

/**
 * Replaces the sidecar at `path`; durable when it returns. Throws DamageError when the pages do not
 * have the checksum of `state`, and then has changed nothing.
 */
export function writeSidecar(disk: Disk, path: string, file: DiskFile, state: DatabaseState): void {
  const temporary = `${path}.tmp`;
  const target = disk.open('repair.sidecar.create', temporary, 'create');
  try {
    const sum = writeBlocks(target, file, state);
    if (sum.value !== state.checksum) {
      const actual = formatChecksum(sum.value);
      const expected = formatChecksum(state.checksum);
      throw new DamageError(
        'DATABASE_CORRUPT',
        `Cannot repair ${file.path}: its pages have the checksum ${actual}, not ${expected}`,
        { file: file.path },
        { hint: 'The disk gives back other bytes than were written to it. Replace it' },
      );
    }
    target.sync('repair.sidecar.sync');
  } finally {
    target.close();
  }
  disk.rename('repair.sidecar.rename', temporary, path);
  disk.syncDirectory('repair.sidecar.name', path.slice(0, path.lastIndexOf('/')));
}

function writeBlocks(target: DiskFile, file: DiskFile, state: DatabaseState): DatabaseChecksum {
  const pageSize = state.pageSize!;
  const lock = lockPgno(pageSize);
  const sum = new DatabaseChecksum();
  const page = new Uint8Array(pageSize);
  const crc = new Crc64();
  writeBlock(target, 0, encodeChecksumHeader(pageSize));
  const lastBlock = checksumBlockOf(state.pageCount);
  for (let number = 1; number <= lastBlock; number++) {
    const block = newChecksumBlock();
    const first = (number - 1) * CHECKSUMS_PER_BLOCK + 1;
    const last = Math.min(state.pageCount, first + CHECKSUMS_PER_BLOCK - 1);
    for (let pgno = first; pgno <= last; pgno++) {
      if (pgno === lock) continue;
      file.read('repair.read', page, 0, pageSize, (pgno - 1) * pageSize);
      crc.reset();
      crc.updateU32be(pgno);
      crc.update(page);
      const hi = (crc.hi | 0x8000_0000) >>> 0;
      block[checksumSlotOf(pgno)] = crc.lo;
      block[checksumSlotOf(pgno) + 1] = hi;
      sum.toggle(hi, crc.lo);
    }
    sealChecksumBlock(number, block);
    writeBlock(target, number, block);
  }
  return sum;
}

function writeBlock(target: DiskFile, number: number, block: Uint32Array): void {
  const position = number * CHECKSUM_BLOCK_BYTES;
  target.write('repair.sidecar.write', blockBytes(block), 0, CHECKSUM_BLOCK_BYTES, position);
}
