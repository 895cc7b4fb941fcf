// Commands that run as user nobody beside a node.

import { AS_NOBODY } from '@skein/testkit';

/** Runs what follows as nobody, in a world where everybody may open /dev/fuse, as udev has it. */
export function asNobodyWithFuse(folder: string): readonly string[] {
  const device = `${folder}/fuse`;
  const script =
    `mknod -m 666 ${device} c 10 229 && mount --bind ${device} /dev/fuse && ` +
    `exec ${AS_NOBODY.join(' ')} "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}

/** Runs what follows as nobody, with the mounts that process `pid` sees. */
export function besideAsNobody(pid: number): readonly string[] {
  return ['nsenter', '--mount', '--target', String(pid), ...AS_NOBODY];
}
