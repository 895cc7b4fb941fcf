// The node that a command is about: the daemon that runs on a data folder, or else the folder
// itself.

import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { ApiClient, countBytes, isNobodyThere } from '../api/client.ts';
import type { DatabaseStatus, NodeStatus, OnProgress } from '../api/node-control.ts';
import type { OfflineNode } from '../offline/offline-node.ts';

export interface NodeAccess {
  status(): Promise<NodeStatus>;
  /** Takes a file, or a stream until its end. */
  importDatabase(
    name: string,
    source: string | Readable,
    onProgress: OnProgress,
  ): Promise<DatabaseStatus>;
  /** Writes into a file that exists and is empty, or to a stream. */
  exportDatabase(name: string, target: string | Writable, onProgress: OnProgress): Promise<void>;
  close(): void;
}

/** `mayCreate`: a data folder is made where there is none. */
export async function openNode(dataFolder: string, mayCreate: boolean): Promise<NodeAccess> {
  const client = new ApiClient(dataFolder);
  try {
    await client.status();
    return overApi(client);
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
  }
  return inProcess(await openFolder(dataFolder, mayCreate));
}

/** The engine is loaded where it is needed: not to ask a node that runs. */
async function openFolder(dataFolder: string, mayCreate: boolean): Promise<OfflineNode> {
  const [{ DEFAULT_ENGINE_OPTIONS }, offline] = await Promise.all([
    import('@skein/engine'),
    import('../offline/offline-node.ts'),
  ]);
  return offline.OfflineNode.open({ ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate });
}

function overApi(client: ApiClient): NodeAccess {
  return {
    status: () => client.status(),
    importDatabase: async (name, source, onProgress) => {
      if (typeof source !== 'string') {
        return client.importDatabase(name, { content: source, sizeBytes: undefined, onProgress });
      }
      const { size: sizeBytes } = await stat(source);
      const content = createReadStream(source);
      return client.importDatabase(name, { content, sizeBytes, onProgress });
    },
    exportDatabase: (name, target, onProgress) => {
      const stream = typeof target === 'string' ? createWriteStream(target) : target;
      return client.exportDatabase(name, stream, onProgress);
    },
    close: () => {},
  };
}

function inProcess(node: OfflineNode): NodeAccess {
  return {
    status: () => node.status(),
    importDatabase: async (name, source, onProgress) => {
      if (typeof source === 'string') return node.importDatabase(name, source);
      return withScratch(node, 'import', async (path) => {
        await pipeline(source, countBytes(Number.NaN, onProgress), createWriteStream(path));
        return node.importDatabase(name, path);
      });
    },
    exportDatabase: async (name, target, onProgress) => {
      if (typeof target === 'string') {
        await node.exportDatabase(name, target, onProgress);
        return;
      }
      await withScratch(node, 'export', async (path) => {
        await node.exportDatabase(name, path, onProgress);
        await pipeline(createReadStream(path), target);
      });
    },
    close: () => node.close(),
  };
}

async function withScratch<T>(
  node: OfflineNode,
  purpose: string,
  run: (path: string) => Promise<T>,
): Promise<T> {
  const path = node.newScratchPath(purpose);
  try {
    return await run(path);
  } finally {
    await rm(path, { force: true });
  }
}
