// The locks that the kernel keeps, as /proc/locks lists them (proc_locks(5)):
//
//   1: POSIX  ADVISORY  WRITE 1234 00:2f:5 120 120
//
// The kind of lock, who must obey it, WRITE for exclusive, the process, device and inode, the first
// and the last byte.
//
// A line with "->" is somebody who waits. An open file description's lock has no process: -1.

export interface HeldLock {
  readonly isExclusive: boolean;
  readonly pid: number;
  /** Minor number of the device; its major number is 0. */
  readonly deviceMinor: number;
  readonly inode: number;
  readonly firstByte: number;
  /** Infinity: to the end of the file, wherever that is. */
  readonly lastByte: number;
}

const KIND = String.raw`(?:POSIX|OFDLCK) +\w+ +(READ|WRITE)`;
const FILE = String.raw`00:([0-9a-f]+):(\d+)`;
const LINE = new RegExp(String.raw`^\d+: ${KIND} +(-?\d+) ${FILE} (\d+) (\d+|EOF)$`, 'u');

/** The locks on byte ranges of files without a disk (major number 0), as those of FUSE are. */
export function parseProcLocks(text: string): HeldLock[] {
  const locks: HeldLock[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    locks.push({
      isExclusive: match[1] === 'WRITE',
      pid: Number(match[2]),
      deviceMinor: Number.parseInt(match[3]!, 16),
      inode: Number(match[4]),
      firstByte: Number(match[5]),
      lastByte: match[6] === 'EOF' ? Number.POSITIVE_INFINITY : Number(match[6]),
    });
  }
  return locks;
}
