// A lake that serves: the engine and the HTTP server on it, from start to end.

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import {
  formatPrometheus,
  type Log,
  NodeMetrics,
  PROMETHEUS_CONTENT_TYPE,
  readMetrics,
  systemClock,
} from '@skein/host';

import type { LakeConfig } from './config/lake-config.ts';
import { type Address, listen } from './http/listening.ts';
import { startLakeServer } from './http/server.ts';
import { openLake } from './open-engine.ts';
import { gatewayFigures } from './store/gateway-metrics.ts';

export interface RunningLake {
  readonly url: string;
  close(): Promise<void>;
}

/** Where the page is that is built beside this package. */
const PAGE_FOLDERS = ['../page', '../../../apps/console/dist'];

/** Starts to answer. Throws LakeHttpError, LakeError, StoreError or SkeinError. */
export async function runLake(config: LakeConfig, log: Log): Promise<RunningLake> {
  for (const note of config.notes) log.warn('A setting has no effect', { setting: note });
  const lake = await openLake(config, log);
  const metrics = new NodeMetrics();
  const updateFigures = lake.gateway && gatewayFigures(lake.gateway, metrics);
  const readFigures = (): string => {
    updateFigures?.();
    return formatPrometheus(readMetrics(metrics.buffer));
  };
  try {
    const server = await startLakeServer(config.address, {
      engine: lake.engine,
      nodeName: lake.nodeName,
      access: config.access,
      allowOrigins: config.allowOrigins,
      cacheControl: config.cacheControl,
      scratchFolder: config.scratchFolder,
      pageFolder: config.pageFolder ?? findPage(),
      limits: config.limits,
      log,
      metrics,
      readMetrics: readFigures,
      clock: systemClock,
    });
    const closeMetrics = await maybeServeMetrics(config.metricsAddress, readFigures);
    const url = urlOf({ ...config.address, port: server.address.port });
    log.info('The lake answers', { url, role: lake.engine.role, data: config.dataPath });
    return {
      url,
      close: async () => {
        await closeMetrics();
        await server.close();
        await lake.close();
      },
    };
  } catch (error) {
    await lake.close();
    throw error;
  }
}

function findPage(): string | undefined {
  return PAGE_FOLDERS.map((folder) => join(import.meta.dirname, folder)).find((folder) =>
    existsSync(join(folder, 'index.html')),
  );
}

/** As Seafowl has them: on an address of their own, whatever the path is. */
async function maybeServeMetrics(
  address: Address | undefined,
  readFigures: () => string,
): Promise<() => Promise<void>> {
  if (address === undefined) return async () => {};
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE }).end(readFigures());
  });
  await listen(server, address);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

function urlOf({ host, port }: Address): string {
  const name = host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
