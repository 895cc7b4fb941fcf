// The engine's ClientLocks. The kernel keeps the locks of the mount (a lock costs no round trip);
// what is held is read from /proc/locks, and to exclude clients the main thread locks like one.

import { readFileSync } from 'node:fs';

import type { ClientLocks, Exclusion } from '@skein/engine';

import type { Nodes } from './nodes.ts';
import { parseProcLocks } from './proc-locks.ts';

/** The main thread's part: it may open files of the mount, which this thread must not. */
export type RequestExclusion = (
  database: string,
  done: (outcome: Exclusion | Error) => void,
) => void;

export interface MountLocksOptions {
  /** Of the mount, by which /proc/locks names it. */
  readonly deviceMinor: () => number;
  readonly nodes: Nodes;
  readonly requestExclusion: RequestExclusion;
}

export function createClientLocks(options: MountLocksOptions): ClientLocks {
  const { deviceMinor, nodes, requestExclusion } = options;
  return {
    holdsExclusively(name, byte, pid) {
      const inode = nodes.find(name)?.id;
      const holder = processOf(pid);
      if (inode === undefined || holder === undefined) return false;
      return parseProcLocks(readFileSync('/proc/locks', 'latin1')).some(
        (lock) =>
          lock.deviceMinor === deviceMinor() &&
          lock.inode === inode &&
          lock.isExclusive &&
          lock.pid === holder &&
          lock.firstByte <= byte &&
          byte <= lock.lastByte,
      );
    },
    exclude: requestExclusion,
  };
}

/** Requests name the thread, locks the process. Undefined when that is not to be found out. */
function processOf(thread: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'latin1');
    return Number(/^Tgid:\t(\d+)$/mu.exec(status)?.[1]);
  } catch {
    return undefined;
  }
}
