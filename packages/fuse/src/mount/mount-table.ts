// The mounts of this process's namespace, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
//
//   36 35 0:41 / /srv/data rw,nosuid shared:1 - fuse.skein skein rw,user_id=0,group_id=0
//         ^     ^                               ^ type     ^ source
//         device  mountpoint
//
// Reading the table touches no mount, so it is safe whatever state a mount is in.

import { readFileSync } from 'node:fs';

export interface MountTableEntry {
  readonly mountpoint: string;
  /** "fuse.skein". */
  readonly type: string;
  readonly source: string;
  /** Minor device number: for FUSE it names the connection in /sys/fs/fuse/connections. */
  readonly deviceMinor: number;
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}

function parseLine(line: string): MountTableEntry | undefined {
  const [before, after] = line.split(' - ', 2);
  const device = before?.split(' ')[2];
  const mountpoint = before?.split(' ')[4];
  const [type, source] = after?.split(' ') ?? [];
  if (device === undefined || mountpoint === undefined) return undefined;
  if (type === undefined || source === undefined) return undefined;
  return {
    mountpoint: unescape(mountpoint),
    type: unescape(type),
    source: unescape(source),
    deviceMinor: Number(device.split(':')[1]),
  };
}

export function parseMountTable(text: string): MountTableEntry[] {
  return text
    .split('\n')
    .map(parseLine)
    .filter((entry) => entry !== undefined);
}

/** The mount that covers a path, which must be absolute and without symbolic links. */
export function findMount(mountpoint: string): MountTableEntry | undefined {
  const table = parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
  // Of several mounts on one folder the last one hides the others.
  return table.findLast((entry) => entry.mountpoint === mountpoint);
}
