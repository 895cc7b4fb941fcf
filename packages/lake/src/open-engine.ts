// The engine of a configuration, with all that it stands on: DuckDB's extensions, the node that has
// the catalog, the gateway to the object store.

import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { connectNode, type NodeView } from '@skein/client';
import type { Log } from '@skein/host';

import type { LakeConfig } from './config/lake-config.ts';
import { createLakeEngine } from './engine/engine.ts';
import type { LakeEngine, RoleSource } from './engine/ports.ts';
import { alwaysWriter } from './engine/role-sources.ts';
import { readOnly, roleOfNode } from './node-role.ts';
import { provideExtensions } from './store/extensions.ts';
import { lockFolder } from './store/folder-lock.ts';
import { type Gateway, startGateway } from './store/gateway.ts';
import { isObjectPath } from './store/object-location.ts';

/** Whoever only asks in which state the lake is does not wait behind queries that run. */
const SPARE_CONNECTIONS = 4;

export interface OpenLake {
  readonly engine: LakeEngine;
  /** Of the node whose mount has the catalog. */
  readonly nodeName: string | undefined;
  /** Undefined: files are read where they are. */
  readonly gateway: Gateway | undefined;
  close(): Promise<void>;
}

/** Throws LakeError, StoreError or SkeinError. */
export async function openLake(config: LakeConfig, log: Log): Promise<OpenLake> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each();
  };
  try {
    const { catalogPath, dataPath, scratchFolder, s3 } = config;
    // Before anything in it is touched: what another lake has there is in use.
    closers.push(unlocking(lockFolder(scratchFolder, "the lake's scratch files")));
    if (config.nodeFolder === undefined) await mkdir(dirname(catalogPath), { recursive: true });
    const isInStore = isObjectPath(dataPath);
    if (!isInStore) await mkdir(dataPath, { recursive: true });
    const extensions = await provideExtensions({
      folder: config.extensionsFolder,
      cacheFolder: join(scratchFolder, 'extensions'),
      needsHttpfs: isInStore,
      log,
    });
    const node = await connectTo(config);
    if (node !== undefined) closers.push(() => node.close());
    const gateway = s3 === undefined ? undefined : await openGateway(config, log);
    if (gateway !== undefined) closers.push(() => gateway.close());
    const engine = await createLakeEngine({
      catalogPath,
      dataPath,
      readDataPath: gateway?.url,
      readToken: gateway?.token,
      extensions,
      role: roleOf(config, node),
      memoryLimit: config.memoryLimit,
      threads: config.threads,
      externalTables: config.external,
      s3,
      scratchFolder,
      exportFolder: config.exportFolder,
      maintenance: config.maintenance,
      connectionsMax: config.limits.queriesAtOnce + SPARE_CONNECTIONS,
      queuedWritesMax: config.limits.writesAtOnce,
      onError: (error, during) => log.error('The lake failed', { during, error: String(error) }),
    });
    closers.push(() => engine.close());
    return { engine, nodeName: node?.state.name, gateway, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function unlocking(unlock: () => void): () => Promise<void> {
  return async () => unlock();
}

async function connectTo({ nodeFolder, catalogPath }: LakeConfig): Promise<NodeView | undefined> {
  if (nodeFolder === undefined) return undefined;
  return connectNode({ enabled: true, mountPath: dirname(catalogPath), dataPath: nodeFolder });
}

function roleOf({ catalogPath, isReadOnly }: LakeConfig, node: NodeView | undefined): RoleSource {
  const source = node === undefined ? alwaysWriter() : roleOfNode(node, basename(catalogPath));
  return isReadOnly ? readOnly(source) : source;
}

function openGateway(config: LakeConfig, log: Log): Promise<Gateway> {
  const { s3, dataPath, cacheFolder, cacheBytes } = config;
  return startGateway({ s3: s3!, dataPath, cacheFolder, cacheBytesMax: cacheBytes, log });
}
