// The two folders of a node, and the disk that its data is on. Nothing is changed.

import { accessSync, constants, existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { findContents, findMount } from '@skein/fuse';
import { formatSize } from '@skein/host';

import { ApiClient, isNobodyThere } from '../../api/client.ts';
import { isLitefsFolder, LITEFS_FOLDER_HINT } from '../../config/litefs-folder.ts';
import type { MountConfig } from '../../config/mount-config.ts';
import { doOverlap } from '../../daemon/folders.ts';
import type { CheckResult } from './check-result.ts';

/** Less than this and the log, which is written ahead, may not find room for its next file. */
const SPACE_MIN_BYTES = 512 * 1024 * 1024;

export function checkMountpoint(
  { mountpoint: path, dataFolder }: Pick<MountConfig, 'mountpoint' | 'dataFolder'>,
  isServed: boolean,
): CheckResult {
  const name = 'mountpoint';
  // The table first: a mount whose daemon hangs is not to be touched.
  const mount = findMount(inMountTable(path));
  if (mount !== undefined) {
    const what = `${mount.source} (${mount.type})`;
    if (isServed) return { name, level: 'ok', message: `${what} is mounted on ${path}` };
    const message = `${what} is mounted on ${path}, and no node of this data folder serves it`;
    const isOurs = mount.type === 'fuse.skein';
    if (isOurs) return { name, level: 'warn', message, fix: 'skein mount detaches a dead mount' };
    return { name, level: 'fail', message, fix: `umount ${path}, or choose another folder` };
  }
  if (doOverlap(path, dataFolder)) {
    const message = `${path} and the data folder ${dataFolder} lie in each other`;
    return { name, level: 'fail', message, fix: 'choose another data folder' };
  }
  if (!existsSync(path)) return checkParent(name, path);
  if (!statSync(path).isDirectory()) {
    return { name, level: 'fail', message: `${path} is no folder`, fix: 'choose another one' };
  }
  const [first] = findContents(path);
  if (first === undefined) return { name, level: 'ok', message: `${path} is an empty folder` };
  const message = `${path} is not empty: the mount would hide ${first}`;
  return { name, level: 'fail', message, fix: 'choose an empty folder; skein import takes files' };
}

export function checkDataFolder(path: string, isServed: boolean): CheckResult {
  const name = 'data folder';
  if (isServed) return { name, level: 'ok', message: `a node runs on ${path}` };
  if (!existsSync(path)) return checkParent(name, path);
  const { uid } = statSync(path);
  if (uid !== process.geteuid!()) {
    const message = `${path} belongs to another user (uid ${uid})`;
    return { name, level: 'fail', message, fix: 'run skein as that user' };
  }
  const fault = findWriteFault(path);
  if (fault !== undefined) {
    return {
      name,
      level: 'fail',
      message: `${path} cannot be written to: ${fault}`,
      fix: 'chmod u+rwx',
    };
  }
  if (isLitefsFolder(path)) {
    const message = `${path} is the data folder of a LiteFS`;
    return { name, level: 'fail', message, fix: LITEFS_FOLDER_HINT };
  }
  const node = existsSync(join(path, 'node.json')) ? 'the node of' : 'a new node in';
  return { name, level: 'ok', message: `${node} ${path} can be started` };
}

export function checkSpace(dataFolder: string): CheckResult {
  const name = 'space';
  const { bavail, bsize, ffree, files } = statfsSync(nearestFolder(dataFolder));
  const bytes = bavail * bsize;
  const message = `${formatSize(bytes)} are free on the disk of ${dataFolder}`;
  if (files > 0 && ffree === 0) {
    return { name, level: 'fail', message: 'the disk has no inodes left', fix: 'remove files' };
  }
  if (bytes >= SPACE_MIN_BYTES) return { name, level: 'ok', message };
  const fix = 'make room: the log keeps what was written in the time of --retention';
  return { name, level: bytes === 0 ? 'fail' : 'warn', message, fix };
}

/** As the table of mounts has it: without symbolic links above. */
function inMountTable(path: string): string {
  const parent = nearestFolder(dirname(path));
  return join(realpathSync(parent), relative(parent, path));
}

/** Whether a node answers on the data folder. Throws ApiError if it cannot be told. */
export async function findServing(dataFolder: string): Promise<boolean> {
  try {
    await new ApiClient(dataFolder).status();
    return true;
  } catch (error) {
    if (isNobodyThere(error)) return false;
    throw error;
  }
}

function checkParent(name: string, path: string): CheckResult {
  const parent = nearestFolder(path);
  const fault = findWriteFault(parent);
  if (fault === undefined) return { name, level: 'ok', message: `${path} will be made` };
  const message = `${path} is missing and cannot be made: ${parent} gives ${fault}`;
  return { name, level: 'fail', message, fix: `mkdir -p ${path}, as a user who may` };
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}

function findWriteFault(path: string): string | undefined {
  try {
    accessSync(join(path, '.'), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
