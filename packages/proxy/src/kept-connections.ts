// Connections that are kept and used again: who opens one for each request pays more for that than
// for all the rest of it.
//
// The other side may close a connection that nobody uses at the very moment when a request is on
// its way, and nobody could tell whether it arrived. A read is sent again then; a write would have
// an unknown outcome. So writes take only what was used a moment ago, long before any server
// closes it (docs/decisions/0020).
//
// Invariant: a connection carries one request at a time, and is used again only after an answer
// that was whole and left nothing behind.

import { connect, type Socket } from 'node:net';

import type { Clock } from '@skein/host';

import type { HostAndPort } from './options.ts';
import { limitConnecting } from './upstream.ts';

/** Apps close what is not used after 5 s, as Node and others do, few after 2; we before them. */
export const READ_IDLE_MS = 4000;
export const WRITE_IDLE_MS = 500;
/** For each app or proxy. */
const IDLE_COUNT_MAX = 256;

/** Who uses a connection. */
export interface ConnectionUser {
  onData(bytes: Buffer): void;
  /** It is of no use any more. `error`: undefined if the other side has ended it properly. */
  onClose(error: Error | undefined): void;
}

export class KeptConnection {
  readonly #socket: Socket;
  readonly #onIdle: () => boolean;
  #user: ConnectionUser | undefined;
  #error: Error | undefined;

  /** `onIdle`: whether it is kept. */
  constructor(socket: Socket, onIdle: (connection: KeptConnection) => boolean) {
    this.#socket = socket;
    this.#onIdle = () => onIdle(this);
    socket.on('data', (bytes) => {
      // Nobody has asked for anything.
      if (this.#user === undefined) socket.destroy();
      else this.#user.onData(bytes);
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => this.#user?.onClose(this.#error));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  /** Called when it is gone. */
  onceClosed(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  send(head: string, body: Buffer | undefined, user: ConnectionUser): void {
    this.#user = user;
    this.#socket.setTimeout(0);
    if (body === undefined) {
      this.#socket.write(head, 'latin1');
      return;
    }
    // In one packet if they fit.
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The answer was whole. */
  release(): void {
    this.#user = undefined;
    this.#socket.resume();
    if (this.isOpen && this.#onIdle()) this.#socket.setTimeout(READ_IDLE_MS);
    else this.#socket.destroy();
  }

  /** Nobody hears of it any more. */
  destroy(error?: Error): void {
    if (error === undefined) this.#user = undefined;
    this.#socket.destroy(error);
  }
}

interface Idle {
  readonly connection: KeptConnection;
  readonly sinceMs: number;
}

export class KeptConnections {
  readonly #connectMs: number;
  readonly #clock: Clock;
  /** Those that were used last come last. */
  readonly #idle = new Map<string, Idle[]>();

  constructor(connectMs: number, clock: Clock) {
    this.#connectMs = connectMs;
    this.#clock = clock;
  }

  /**
   * The one that was used last, if that is not longer ago than `idleMsMax`, as the least likely to
   * be closed by now; else a new one. 0: always a new one.
   */
  take({ host, port }: HostAndPort, idleMsMax: number): KeptConnection {
    const key = `${host} ${port}`;
    const idle = this.#idle.get(key) ?? [];
    const sinceMs = this.#clock.monotonicMs() - idleMsMax;
    for (let last = idle.at(-1); last !== undefined && last.sinceMs > sinceMs; last = idle.at(-1)) {
      idle.pop();
      if (last.connection.isOpen) return last.connection;
    }
    return this.#open(key, { host, port });
  }

  destroy(): void {
    for (const idle of this.#idle.values()) {
      for (const { connection } of idle) connection.destroy();
    }
    this.#idle.clear();
  }

  #open(key: string, { host, port }: HostAndPort): KeptConnection {
    const socket = connect({ host, port, noDelay: true });
    limitConnecting(socket, this.#connectMs);
    const connection = new KeptConnection(socket, (each) => this.#keep(key, each));
    connection.onceClosed(() => this.#forget(key, connection));
    return connection;
  }

  #keep(key: string, connection: KeptConnection): boolean {
    const idle = this.#idle.get(key) ?? [];
    if (idle.length >= IDLE_COUNT_MAX) return false;
    idle.push({ connection, sinceMs: this.#clock.monotonicMs() });
    this.#idle.set(key, idle);
    return true;
  }

  #forget(key: string, connection: KeptConnection): void {
    const idle = this.#idle.get(key);
    const index = idle?.findIndex((each) => each.connection === connection) ?? -1;
    if (index >= 0) idle!.splice(index, 1);
    // Primaries come and go.
    if (idle?.length === 0) this.#idle.delete(key);
  }
}
