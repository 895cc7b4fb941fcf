// `cluster.json` in the data folder: which cluster the node belongs to, the peers that it has met,
// and whom of them it followed last. It may be lost: then the node asks anew, as on its first day.

import type { ClusterMemory, ClusterMemoryStore, KnownPeer } from '@skein/cluster';
import { readAtomicFile, writeAtomicFile } from '@skein/engine';
import type { Disk, Log } from '@skein/host';

const VERSION = 1;

interface ClusterJson extends ClusterMemory {
  readonly version: number;
}

export class ClusterMemoryFile implements ClusterMemoryStore {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #log: Log;

  constructor(disk: Disk, dataFolder: string, log: Log) {
    this.#disk = disk;
    this.#path = `${dataFolder}/cluster.json`;
    this.#log = log;
  }

  load(): ClusterMemory | undefined {
    const value = readAtomicFile(this.#disk, 'cluster', this.#path);
    if (value === 'missing') return undefined;
    if (isClusterJson(value)) {
      const { clusterId, peers, lastPrimary } = value;
      return { clusterId, peers, lastPrimary };
    }
    this.#log.warn('What was known of the cluster is damaged, and found out anew', {
      file: this.#path,
    });
    return undefined;
  }

  save({ clusterId, peers, lastPrimary }: ClusterMemory): void {
    const json: ClusterJson = { version: VERSION, clusterId, peers, lastPrimary };
    writeAtomicFile(this.#disk, 'cluster', this.#path, json);
  }
}

/** What it says was checked before it was written, and its checksum is right. */
function isClusterJson(value: unknown): value is ClusterJson {
  const { version, peers } = value as { version?: unknown; peers?: readonly KnownPeer[] };
  return typeof value === 'object' && version === VERSION && Array.isArray(peers);
}
