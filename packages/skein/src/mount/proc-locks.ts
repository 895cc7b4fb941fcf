// The locks that the kernel keeps, as /proc/locks lists them (proc_locks(5)):
//
//   1: POSIX  ADVISORY  WRITE 1234 00:2f:5 120 120
//   kind of lock, who must obey it, WRITE is exclusive, process, device:inode, first byte, last byte
//
// A line with "->" is somebody who waits. An open file description's lock has no process: -1.

export interface HeldLock {
  readonly isExclusive: boolean;
  readonly pid: number;
  /** Minor number of the device. */
  readonly deviceMinor: number;
  readonly inode: number;
  readonly firstByte: number;
  /** Infinity: to the end of the file, wherever that is. */
  readonly lastByte: number;
}

const LINE =
  /^\d+: (?:POSIX|OFDLCK) +\w+ +(READ|WRITE) +(-?\d+) [0-9a-f]+:([0-9a-f]+):(\d+) (\d+) (\d+|EOF)$/u;

/** The locks on byte ranges; lines of other kinds are left out. */
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
