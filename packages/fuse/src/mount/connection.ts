// The kernel's own view of a FUSE connection, in sysfs: how to end it from outside, whatever its
// daemon and its clients are doing.
//
// Ending ("aborting") a connection fails every request that waits with ECONNABORTED or ENOTCONN and
// lets go of processes that nothing else reaches. It works as long as the connection exists, also
// when its mount has been taken out of the tree.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const CONNECTIONS = '/sys/fs/fuse/connections';
const COMMAND_TIMEOUT_MS = 10_000;

/** Whether the control files are there; mounts their file system when it is not and we may. */
function hasConnectionFiles(): boolean {
  if (!existsSync(CONNECTIONS)) return false;
  if (isControlMounted()) return true;
  const mounted = spawnSync('mount', ['-t', 'fusectl', 'fusectl', CONNECTIONS], {
    stdio: 'ignore',
    timeout: COMMAND_TIMEOUT_MS,
  });
  return mounted.status === 0 || isControlMounted();
}

function isControlMounted(): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${CONNECTIONS} `);
}

/**
 * Aborts the connection of the mount with this minor device number. False when its control file
 * cannot be reached: it is gone, or this process may not.
 */
export function tryAbortConnection(deviceMinor: number): boolean {
  if (!hasConnectionFiles()) return false;
  try {
    writeFileSync(`${CONNECTIONS}/${deviceMinor}/abort`, '1');
    return true;
  } catch {
    return false;
  }
}

/**
 * Lets the kernel read ahead by up to `bytes` on a mount, so that a file that is read from end to
 * end comes in requests of that size. To be called after INIT, from DeviceLoopOptions.negotiated:
 * INIT lowers it to 128 KiB, the system's default. False when this process may not.
 */
export function trySetReadahead(deviceMinor: number, bytes: number): boolean {
  try {
    writeFileSync(`/sys/class/bdi/0:${deviceMinor}/read_ahead_kb`, String(bytes >> 10));
    return true;
  } catch {
    return false;
  }
}
