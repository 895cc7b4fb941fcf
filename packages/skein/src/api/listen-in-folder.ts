// How a server of this node begins to listen on a socket in the data folder.

import {
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';

import { cannotListen, listen } from './listening.ts';
import { openSocketPath } from './unix-socket.ts';

export interface FolderSocket {
  readonly dataFolder: string;
  readonly name: string;
  /** Whether it is for those too whom the data folder lets pass, or for its owner alone. */
  readonly isForPassers: boolean;
  /** A new path, on the same disk. */
  readonly scratch: string;
}

/**
 * Listens in a new folder where nobody else can look in, then moves the socket to its place: so it
 * is never open to others, and takes the place of one that a node left which died. Rejects with
 * ApiError.
 */
export async function listenInFolder(server: Server, where: FolderSocket): Promise<void> {
  const { dataFolder, name, isForPassers, scratch } = where;
  mkdirSync(scratch, { mode: 0o700 });
  const socket = openSocketPath(scratch, name);
  try {
    await listen(server, { path: socket.path });
    const path = join(scratch, name);
    if (isForPassers) letIn(path, dataFolder);
    else chmodSync(path, 0o600);
    renameSync(path, join(dataFolder, name));
    rmdirSync(scratch);
  } catch (error) {
    throw cannotListen(join(dataFolder, name), 'http.address', error);
  } finally {
    socket.close();
  }
}

/**
 * Whoever may pass the data folder (mode 0710: its group; 0711: everybody) may use the socket: so
 * an application of another user follows its node.
 */
function letIn(path: string, dataFolder: string): void {
  const { mode, gid } = statSync(dataFolder);
  const isForGroup = (mode & constants.S_IXGRP) !== 0;
  const isForAll = (mode & constants.S_IXOTH) !== 0;
  if (isForGroup) chownSync(path, -1, gid);
  chmodSync(path, 0o600 | (isForGroup ? 0o060 : 0) | (isForAll ? 0o006 : 0));
}
