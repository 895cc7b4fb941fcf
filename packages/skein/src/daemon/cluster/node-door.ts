// The one port where other nodes come, by HTTP/2 for streams, and everybody else for the API. Where
// no port was chosen it is the first that is free, counted upward: several nodes on one machine.

import { readFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createNodeListener, type StreamServer, type TlsIdentity } from '@skein/cluster';
import type { Log } from '@skein/host';

import { cannotListen, close, listen } from '../../api/listening.ts';
import { API_SERVER_OPTIONS } from '../../api/server.ts';
import type { ClusterConfig, ListenConfig, TlsConfig } from '../../config/cluster-config.ts';
import { ConfigError } from '../../config/errors.ts';
import { isLoopback } from '../../config/values.ts';

/**
 * Streams, questions of peers, callers of the API. Who connects costs memory before it has proved
 * anything.
 */
const CONNECTIONS_MAX = 512;

export interface NodeDoorOptions {
  readonly config: ClusterConfig;
  readonly streams: StreamServer;
  readonly handle: RequestListener;
  readonly tls: TlsIdentity | undefined;
  readonly log: Log;
}

export interface NodeDoor {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Throws ApiError when no address is free. */
export async function openNodeDoor(options: NodeDoorOptions): Promise<NodeDoor> {
  const { config, streams, handle, tls, log } = options;
  const server = createNodeListener({ streams, handle, tls, http: API_SERVER_OPTIONS });
  server.maxConnections = CONNECTIONS_MAX;
  // Callers that ask first, before they send a database.
  server.on('checkContinue', handle);
  await listenUpward(server, config.listen);
  server.on('error', (error) => log.warn('A connection was lost', { error: error.message }));
  return { address: server.address() as AddressInfo, close: () => close(server) };
}

/** Reads the files. Throws ConfigError. */
export function loadTls(tls: TlsConfig | undefined): TlsIdentity | undefined {
  if (tls === undefined) return undefined;
  return {
    cert: readPem(tls.certFile),
    key: readPem(tls.keyFile),
    ca: tls.caFile === undefined ? undefined : readPem(tls.caFile),
    verifiesPeers: tls.verifiesPeer,
  };
}

/** Where others find what listens at a port of this node. */
export function advertisedUrl(
  { name, listen, tls }: Pick<ClusterConfig, 'name' | 'listen' | 'tls'>,
  port: number,
): URL {
  const { host } = listen;
  const scheme = tls === undefined ? 'http' : 'https';
  const isAny = host === '' || host === '0.0.0.0' || host === '::';
  const shown = isAny ? name : isLoopback(host) ? '127.0.0.1' : host;
  return new URL(`${scheme}://${shown.includes(':') ? `[${shown}]` : shown}:${port}/`);
}

async function listenUpward(
  server: Server,
  { host, port, portCount }: ListenConfig,
): Promise<void> {
  for (let index = 0; ; index += 1) {
    try {
      return await listen(server, { host, port: port + index });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && index + 1 < portCount) continue;
      throw cannotListen(`${host}:${port + index}`, 'cluster.address', error);
    }
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ source: path, message: `reading it gives ${code}` }]);
  }
}
