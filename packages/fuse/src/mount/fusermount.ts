// Mounting and unmounting as a user who is not root, by fusermount3(1).
//
// The program is told the number of a socket (_FUSE_COMMFD), opens /dev/fuse, mounts, and sends the
// descriptor of the device through the socket before it ends.

import { spawn, spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';

import { createSocketPair, setNonBlocking, tryReceiveDescriptor } from '@skein/host';

import { FuseMountError } from '../errors.ts';
import type { MountOptions } from './mount-options.ts';

const COMMAND = 'fusermount3';
const COMMAND_TIMEOUT_MS = 10_000;
// Messages in English, whatever the user's language: one of them is looked for.
const ENVIRONMENT = { ...process.env, LC_ALL: 'C' };

/** A comma would end the option. */
function escapeOption(value: string): string {
  return value.replaceAll(/[,\\]/g, String.raw`\$&`);
}

/** Mounts, and returns the descriptor of the device, non-blocking. */
export function mountWithFusermount(mountpoint: string, options: MountOptions): number {
  const list = [
    `fsname=${escapeOption(options.source)}`,
    `subtype=${escapeOption(options.subtype)}`,
    'nosuid',
    'nodev',
    ...(options.allowOther === true ? ['allow_other'] : []),
    ...(options.defaultPermissions === true ? ['default_permissions'] : []),
  ].join(',');
  const [ours, theirs] = createSocketPair();
  try {
    const result = spawnSync(COMMAND, ['-o', list, '--', mountpoint], {
      env: { ...ENVIRONMENT, _FUSE_COMMFD: '3' },
      stdio: ['ignore', 'ignore', 'pipe', theirs],
      timeout: COMMAND_TIMEOUT_MS,
    });
    const fd = result.status === 0 ? tryReceiveDescriptor(ours) : undefined;
    if (fd === undefined) throw failure(mountpoint, result.error, String(result.stderr ?? ''));
    setNonBlocking(fd);
    return fd;
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}

/**
 * Takes a mount down; lazily, if need be, for whoever still has files open. Whether that worked is
 * seen in the mount table.
 */
export function unmountWithFusermount(mountpoint: string, isLazy: boolean): Promise<void> {
  const args = isLazy ? ['-u', '-z'] : ['-u'];
  const child = spawn(COMMAND, [...args, '--', mountpoint], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

/** Takes the mount of a dead daemon out of the tree. False when it may not. */
export function tryDetachWithFusermount(mountpoint: string): boolean {
  const result = spawnSync(COMMAND, ['-u', '-z', '--', mountpoint], {
    stdio: 'ignore',
    timeout: COMMAND_TIMEOUT_MS,
  });
  return result.status === 0;
}

function failure(
  mountpoint: string,
  error: NodeJS.ErrnoException | undefined,
  stderr: string,
): FuseMountError {
  if (error?.code === 'ENOENT') {
    return new FuseMountError(
      'FUSE_FUSERMOUNT_MISSING',
      `Cannot mount on ${mountpoint}: this user is not root, and ${COMMAND} is not installed`,
      { mountpoint, hint: 'Install it: apt-get install fuse3', cause: error },
    );
  }
  const reason = stderr.trim() || error?.message || `${COMMAND} sent no descriptor`;
  const message = `Cannot mount on ${mountpoint}: ${reason}`;
  const remedy = REMEDIES.find(({ sign }) => reason.includes(sign));
  if (remedy === undefined) {
    return new FuseMountError('FUSE_MOUNT_FAILED', message, { mountpoint, cause: error });
  }
  const { hint } = remedy;
  return new FuseMountError('FUSE_NOT_PERMITTED', message, { mountpoint, hint, cause: error });
}

/** What to do about what fusermount3 says in its (English) messages. */
const REMEDIES: readonly { readonly sign: string; readonly hint: string }[] = [
  {
    sign: 'user_allow_other',
    hint: 'Add the line user_allow_other to /etc/fuse.conf, or mount for one user only',
  },
  { sign: 'no write access', hint: 'Mount on a folder that belongs to the user' },
  {
    sign: '/dev/fuse: Permission denied',
    hint: 'Let users open the device: chmod 666 /dev/fuse. In a container: --device /dev/fuse',
  },
  {
    sign: 'Operation not permitted',
    hint: `${COMMAND} must be a set-user-id program of root, in a container that may mount`,
  },
];
