// How the app and the proxies of primaries are connected to.
//
// Connections for reads are kept and used again (kept-connections.ts), but not for writes: the
// other side may close one that nobody uses at the very moment when a request is on its way, and
// nobody could tell whether it arrived. A read is sent again then; a write would have an unknown
// outcome. So each write has a connection of its own, and what goes wrong before it is open has
// sent nothing.
//
// The variables HTTP_PROXY and their like mean nothing here.

import { Agent } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

import type { HostAndPort } from './options.ts';

/** A connection for each request, given up if it does not come about. */
export class SingleUseAgent extends Agent {
  readonly #connectMs: number;

  constructor(connectMs: number) {
    super({ keepAlive: false });
    this.#connectMs = connectMs;
  }

  override createConnection(options: NetConnectOpts): Socket {
    const socket = connect({ ...options, noDelay: true });
    limitConnecting(socket, this.#connectMs);
    return socket;
  }
}

export function limitConnecting(socket: Socket, connectMs: number): void {
  const timer = setTimeout(() => socket.destroy(connectTimeout()), connectMs);
  const stop = (): void => clearTimeout(timer);
  socket.once('connect', stop);
  socket.once('close', stop);
}

/** As if the system had given up. */
function connectTimeout(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' });
}

/**
 * Whether the error came before there was a connection: nothing can have been sent. Where a name
 * has several addresses there is one for each.
 */
export function isConnectError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectError);
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}

export function hostAndPort(url: URL): HostAndPort {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? 80 : Number(url.port) };
}
