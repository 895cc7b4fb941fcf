// Error numbers by name and names by number, as this machine's C library defines them.

import { constants } from 'node:os';

export type ErrnoName = keyof typeof constants.errno;

/** `ERRNO.ENOENT` is 2: what a call reports, and what a FUSE reply carries. */
export const ERRNO: Readonly<Record<ErrnoName, number>> = constants.errno;

// Two names of one number: the one that the kernel's own documents use.
const PREFERRED: readonly ErrnoName[] = ['EAGAIN', 'EOPNOTSUPP'];

const names = new Map<number, string>([
  ...Object.entries(constants.errno).map(([name, errno]) => [errno, name] as const),
  ...PREFERRED.map((name) => [constants.errno[name], name] as const),
]);

/** Name of a positive error number ("ENOENT"); "E" and the number for one without a name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}
