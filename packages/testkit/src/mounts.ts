// The machine's mounts, looked at and taken down without touching what is inside them: a call on a
// mount whose daemon does not answer never returns.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const CONNECTIONS = '/sys/fs/fuse/connections';

export interface Mount {
  readonly path: string;
  /** "fuse.skein", "ext4". */
  readonly type: string;
  /** Minor number of its device, which names a FUSE connection in fusectl. */
  readonly deviceMinor: number;
}

/** All mounts, in the order in which they were made. */
export function listMounts(): Mount[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mount at exactly this path; the uppermost if there are several. */
export function findMount(path: string): Mount | undefined {
  return listMounts().findLast((mount) => mount.path === path);
}

/**
 * Reads /proc/PID/mountinfo (proc(5)):
 * `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw`, with any number of
 * fields before the dash, and blanks in paths written as `\040`.
 */
export function parseMountinfo(text: string): Mount[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const fields = before.split(' ');
    const [type = ''] = after.split(' ');
    const path = (fields[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_match, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return { path, type, deviceMinor: Number(fields[2]?.split(':')[1]) };
  });
}

/** How many requests wait for the daemon of a FUSE mount; undefined if that cannot be told. */
export function countWaitingRequests(mount: Mount): number | undefined {
  const folder = findConnection(mount);
  return folder === undefined ? undefined : Number(readFileSync(`${folder}/waiting`, 'utf8'));
}

/** Ends the FUSE connection: whoever waits for an answer gets an error, at once and for good. */
export function abortConnection(mount: Mount): void {
  const folder = findConnection(mount);
  if (folder !== undefined) writeFileSync(`${folder}/abort`, '1');
  else spawnSync('umount', ['-f', mount.path], { stdio: 'ignore' });
}

/** Takes a mount down whatever its state. Aborts first: after the detaching nothing reaches it. */
export function detachMount(mount: Mount): void {
  if (mount.type.startsWith('fuse')) abortConnection(mount);
  spawnSync('umount', ['-l', mount.path], { stdio: 'ignore' });
}

/** The connection's folder in fusectl, which is mounted if it is not. */
function findConnection(mount: Mount): string | undefined {
  const folder = `${CONNECTIONS}/${mount.deviceMinor}`;
  if (!existsSync(folder)) {
    spawnSync('mount', ['-t', 'fusectl', 'fusectl', CONNECTIONS], { stdio: 'ignore' });
  }
  return existsSync(folder) ? folder : undefined;
}
