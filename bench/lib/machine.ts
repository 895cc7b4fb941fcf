// The machine's part in the numbers: caches to empty, disks to fit on, settings that make a
// difference.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';

/** /dev/shm and its like: linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;
const HALT_POLL = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';

/** What the numbers depend on besides the code. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    kernel: release(),
    node: process.versions.node,
    haltPolling: existsSync(HALT_POLL)
      ? `halt polling ${readFileSync(HALT_POLL, 'utf8').trim()} ns`
      : 'halt polling not known',
  };
}

/** Throws unless `folder` is on a real disk with so much space. */
export function checkSpace(folder: string, bytes: number): void {
  const { type, bavail, bsize } = statfsSync(folder);
  if (type === TMPFS_MAGIC) {
    throw new RangeError(`${folder} is in memory: name a folder on a disk by --folder`);
  }
  if (bavail * bsize >= bytes) return;
  const [needed, free] = [bytes, bavail * bsize].map((each) => (each / 1e9).toFixed(1));
  throw new RangeError(`${folder} has ${free} GB free, this bench needs ${needed} GB`);
}

/** Empties the kernel's page cache, so that the next read comes from the disk. Needs root. */
export function dropCaches(): void {
  spawnSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
