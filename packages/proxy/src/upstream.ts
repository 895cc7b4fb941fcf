// Connections to the app and to the proxies of primaries.
//
// Connections are kept and used again, but not for writes: the other side may close a connection
// that nobody uses at the very moment when a request is on its way, and nobody could tell whether
// it arrived. A read is sent again then; a write would have an unknown outcome. So each write has a
// connection of its own, and what goes wrong before it is open has sent nothing.
//
// The variables HTTP_PROXY and their like mean nothing here.

import { Agent, type AgentOptions } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

import type { HostAndPort } from './options.ts';

/** A connection that nobody has used for so long is closed before the other side would. */
const IDLE_MS = 4000;
const IDLE_COUNT_MAX = 256;

export class UpstreamAgents {
  readonly #repeatable: Agent;
  readonly #single: Agent;

  constructor(connectMs: number) {
    this.#repeatable = new BoundedAgent(connectMs, {
      keepAlive: true,
      // The last one used is the least likely to be closed by now.
      scheduling: 'lifo',
      maxFreeSockets: IDLE_COUNT_MAX,
      timeout: IDLE_MS,
    });
    this.#single = new BoundedAgent(connectMs, { keepAlive: false });
  }

  for(isRepeatable: boolean): Agent {
    return isRepeatable ? this.#repeatable : this.#single;
  }

  destroy(): void {
    this.#repeatable.destroy();
    this.#single.destroy();
  }
}

/** Gives up a connection that does not come about. */
class BoundedAgent extends Agent {
  readonly #connectMs: number;

  constructor(connectMs: number, options: AgentOptions) {
    super(options);
    this.#connectMs = connectMs;
  }

  override createConnection(options: NetConnectOpts): Socket {
    const socket = connect(options);
    socket.setNoDelay(true);
    const timer = setTimeout(() => socket.destroy(connectTimeout()), this.#connectMs);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
    return socket;
  }
}

/** As if the system had given up. */
function connectTimeout(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' });
}

/** Whether the error came before there was a connection: nothing can have been sent. */
export function isConnectError(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}

export function hostAndPort(url: URL): HostAndPort {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? 80 : Number(url.port) };
}
