// The daemon's socket for applications.
//
// The address of a socket has room for 107 bytes, a path may be longer: then it is named by way of
// its folder's descriptor, /proc/self/fd/N/app.sock, which any path fits into.

import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { Settings } from '../settings/settings.ts';

/** What a daemon calls it (packages/skein/src/api/unix-socket.ts). */
const SOCKET_NAME = 'app.sock';
/** sun_path of struct sockaddr_un, without the zero at the end (unix(7)). */
const PATH_BYTES_MAX = 107;

export interface SocketPath {
  /** Short enough to connect to, until close(), which may be called again. */
  readonly path: string;
  readonly close: () => void;
}

export function socketPathOf({
  dataPath,
  socketPath,
}: Pick<Settings, 'dataPath' | 'socketPath'>): string {
  return socketPath ?? join(dataPath, SOCKET_NAME);
}

/** Throws ENOENT and the like for the folder. */
export function openSocketPath(path: string): SocketPath {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return { path, close: () => undefined };
  let fd: number | undefined = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${fd}/${basename(path)}`,
    // Once: afterwards the number may be that of another file.
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
