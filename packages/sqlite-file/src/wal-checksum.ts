// The checksum of WALs and of the wal-index header (https://sqlite.org/fileformat2.html section
// 4.2; src/wal.c, walChecksumBytes): two sums over 32-bit words, each fed with the other, which
// makes them depend on the order of the words. It is cumulative: a frame's checksum covers all
// before it.

/** The two sums; kept in one array so that a running checksum costs no allocation. */
export type WalChecksum = Uint32Array;

export function newWalChecksum(): WalChecksum {
  return new Uint32Array(2);
}

/**
 * Takes the bytes from `start` to `end` (a multiple of 8 apart) into `sums`.
 *
 * The loops differ in nothing but the byte order: 6 to 9 GB/s over 4 KiB pages, against 4 to 5 in
 * one loop with the byte order as a variable (Node 24.21, one core of a virtual machine, 2026).
 */
export function updateWalChecksum(
  sums: WalChecksum,
  bigEndian: boolean,
  view: DataView,
  start: number,
  end: number,
): void {
  let sum1 = sums[0]! | 0;
  let sum2 = sums[1]! | 0;
  if (bigEndian) {
    for (let at = start; at < end; at += 8) {
      sum1 = (sum1 + view.getInt32(at, false) + sum2) | 0;
      sum2 = (sum2 + view.getInt32(at + 4, false) + sum1) | 0;
    }
  } else {
    for (let at = start; at < end; at += 8) {
      sum1 = (sum1 + view.getInt32(at, true) + sum2) | 0;
      sum2 = (sum2 + view.getInt32(at + 4, true) + sum1) | 0;
    }
  }
  sums[0] = sum1;
  sums[1] = sum2;
}
