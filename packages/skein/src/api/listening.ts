// How a server of this node begins and ends to listen.

import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';

import { ApiError } from './errors.ts';

/** Requests that are being answered get so long. */
const CLOSE_GRACE_MS = 2_000;

/** An empty host means all interfaces. Rejects with the error of the system. */
export function listen(
  server: Server,
  where: Pick<ListenOptions, 'host' | 'port' | 'path'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** `key`: of the configuration, where another port can be chosen. */
export function cannotListen(shown: string, key: string, cause: unknown): ApiError {
  const { code } = cause as NodeJS.ErrnoException;
  const hint = code === 'EADDRINUSE' ? `Choose another port: ${key}` : undefined;
  return new ApiError('API_LISTEN', `Cannot listen on ${shown}: ${code}`, { cause, hint });
}

export function close(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
