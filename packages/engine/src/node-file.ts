// `node.json`: who this node is, for as long as its data folder lives.

import { formatHex64, maybeParseHex64, readU64be } from '@skein/bytes';
import type { Disk, Random } from '@skein/host';

import { readAtomicFile, writeAtomicFile } from './atomic-file.ts';
import { EngineError } from './errors.ts';

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

/** Reads the identity, or makes one for a folder that is new. */
export function openIdentity(disk: Disk, random: Random, folder: string): NodeIdentity {
  const identity = readIdentity(disk, folder);
  if (identity === 'missing') return createIdentity(disk, random, folder, 1);
  if (identity !== 'damaged') return identity;
  throw new EngineError('DATA_DIRECTORY_FORMAT', `Cannot use data folder ${folder}`, {
    hint: 'node.json is damaged, or was written by a later version',
  });
}

export function readIdentity(disk: Disk, folder: string): NodeIdentity | 'missing' | 'damaged' {
  const value = readAtomicFile(disk, 'node', nodePath(folder));
  if (value === 'missing' || value === 'damaged') return value;
  const { version, nodeId, epoch } = value as NodeJson;
  const id = version === VERSION ? maybeParseHex64(nodeId) : undefined;
  return id === undefined ? 'damaged' : { nodeId: id, epoch };
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
  const json: NodeJson = { version: VERSION, nodeId: formatHex64(identity.nodeId), epoch };
  writeAtomicFile(disk, 'node', nodePath(folder), json);
  return identity;
}

function nodePath(folder: string): string {
  return `${folder}/node.json`;
}
