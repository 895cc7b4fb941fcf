// How a server begins to listen.

import type { Server } from 'node:http';

import { LakeHttpError } from './errors.ts';

export interface Address {
  /** Empty: all interfaces. */
  readonly host: string;
  readonly port: number;
}

/** Throws LakeHttpError for an address that is taken. */
export function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      const message = `Cannot listen on ${where}: ${cause.code}`;
      reject(new LakeHttpError(500, 'LAKE_LISTEN', message, { cause }));
    };
    server.once('error', onError);
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
