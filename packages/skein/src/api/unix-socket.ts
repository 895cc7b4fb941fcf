// The API's sockets in the data folder.
//
// The address of a socket has room for 107 bytes, a path may be longer: so the socket is named by
// way of the folder's descriptor, /proc/self/fd/N/api.sock, which any path fits into.

import { closeSync, constants, openSync } from 'node:fs';

/** All of it, for whoever runs the node. */
export const SOCKET_NAME = 'api.sock';
/** For applications: what they may ask, and nothing else. */
export const APP_SOCKET_NAME = 'app.sock';

/** sun_path of struct sockaddr_un, without the zero at the end (unix(7)). */
const PATH_BYTES_MAX = 107;

export interface SocketPath {
  /** Short enough for bind and connect, until close(). */
  readonly path: string;
  close(): void;
}

/** A path of the file `name` in a folder. Throws ENOENT and the like for the folder. */
export function openSocketPath(folder: string, name: string = SOCKET_NAME): SocketPath {
  const path = `${folder}/${name}`;
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return { path, close: () => {} };
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) };
}
