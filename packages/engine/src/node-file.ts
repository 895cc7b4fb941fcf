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
  const path = `${folder}/node.json`;
  const value = readAtomicFile(disk, 'node', path);
  if (value === 'missing') return createIdentity(disk, random, path);
  const json = value as NodeJson;
  const nodeId = maybeParseHex64(json.nodeId ?? '');
  if (value !== 'damaged' && json.version === VERSION && nodeId !== undefined) {
    return { nodeId, epoch: json.epoch };
  }
  throw new EngineError('DATA_DIRECTORY_FORMAT', `Cannot use data folder ${folder}`, {
    hint: 'node.json is damaged, or was written by a later version',
  });
}

function createIdentity(disk: Disk, random: Random, path: string): NodeIdentity {
  const bytes = new Uint8Array(8);
  random.fill(bytes);
  const identity = { nodeId: readU64be(bytes, 0), epoch: 1 };
  const json: NodeJson = {
    version: VERSION,
    nodeId: formatHex64(identity.nodeId),
    epoch: identity.epoch,
  };
  writeAtomicFile(disk, 'node', path, json);
  return identity;
}
