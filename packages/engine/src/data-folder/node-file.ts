// `node.json`: who this node is, for as long as its data folder lives.

import { formatHex64, maybeParseHex64, readU64be } from '@skein/bytes';
import type { Disk, Random } from '@skein/host';

import { DAMAGE_HINT, EngineError } from '../errors.ts';
import { readAtomicFile, writeAtomicFile } from './atomic-file.ts';
import type { DataFolder } from './data-folder.ts';

const VERSION = 1;

export interface NodeIdentity {
  /** Random, made with the folder. */
  readonly nodeId: bigint;
  /** The last term of leadership that the node has seen. */
  readonly epoch: number;
}

interface NodeJson {
  readonly version: number;
  readonly nodeId: string;
  readonly epoch: number;
}

/** Reads the identity, or makes one for a folder that is new: one in which no database ever was. */
export function openIdentity(disk: Disk, random: Random, folder: DataFolder): NodeIdentity {
  const { path } = folder;
  const identity = readIdentity(disk, path);
  if (typeof identity !== 'string') return identity;
  const isNew = identity === 'missing' && disk.list('node.list', folder.databases).length === 0;
  if (isNew) return createIdentity(disk, random, path, 1);
  const reason =
    identity === 'missing'
      ? 'node.json is missing'
      : 'node.json is damaged, or was written by a later version';
  throw new EngineError('DATA_DIRECTORY_FORMAT', `Cannot use data folder ${path}: ${reason}`, {
    hint: DAMAGE_HINT,
  });
}

export function readIdentity(disk: Disk, folder: string): NodeIdentity | 'missing' | 'damaged' {
  const value = readAtomicFile(disk, 'node', nodePath(folder));
  if (value === 'missing' || value === 'damaged') return value;
  const { version, nodeId, epoch } = value as NodeJson;
  const id = version === VERSION ? maybeParseHex64(nodeId) : undefined;
  return id === undefined || !Number.isSafeInteger(epoch) ? 'damaged' : { nodeId: id, epoch };
}

export function createIdentity(
  disk: Disk,
  random: Random,
  folder: string,
  epoch: number,
): NodeIdentity {
  const bytes = new Uint8Array(8);
  random.fill(bytes);
  const identity = { nodeId: readU64be(bytes, 0), epoch };
  writeIdentity(disk, folder, identity);
  return identity;
}

/** Durable when it returns. */
export function writeIdentity(disk: Disk, folder: string, { nodeId, epoch }: NodeIdentity): void {
  const json: NodeJson = { version: VERSION, nodeId: formatHex64(nodeId), epoch };
  writeAtomicFile(disk, 'node', nodePath(folder), json);
}

function nodePath(folder: string): string {
  return `${folder}/node.json`;
}
