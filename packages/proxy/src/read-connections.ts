// Connections for reads without a body, kept and used again.
//
// Invariant: a connection carries one request at a time, and is used again only after an answer
// that was whole and left nothing behind.

import { connect, type Socket } from 'node:net';

import type { HostAndPort } from './options.ts';
import { limitConnecting } from './upstream.ts';

/** Apps close what is not used after 5 s, as Node and others do; we before them. */
const IDLE_MS = 4000;
/** For each app or proxy. */
const IDLE_COUNT_MAX = 256;

/** Who uses a connection. */
export interface ConnectionUser {
  onData(bytes: Buffer): void;
  /** It is of no use any more. `error`: undefined if the other side has ended it properly. */
  onClose(error: Error | undefined): void;
}

export class ReadConnection {
  readonly #socket: Socket;
  readonly #onIdle: () => boolean;
  #user: ConnectionUser | undefined;
  #error: Error | undefined;

  /** `onIdle`: whether it is kept. */
  constructor(socket: Socket, onIdle: (connection: ReadConnection) => boolean) {
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

  send(head: string, user: ConnectionUser): void {
    this.#user = user;
    this.#socket.setTimeout(0);
    this.#socket.write(head, 'latin1');
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
    if (this.isOpen && this.#onIdle()) this.#socket.setTimeout(IDLE_MS);
    else this.#socket.destroy();
  }

  /** Nobody hears of it any more. */
  destroy(error?: Error): void {
    if (error === undefined) this.#user = undefined;
    this.#socket.destroy(error);
  }
}

export class ReadConnections {
  readonly #connectMs: number;
  readonly #idle = new Map<string, ReadConnection[]>();

  constructor(connectMs: number) {
    this.#connectMs = connectMs;
  }

  /** The one that was used last is the least likely to be closed by now. */
  take({ host, port }: HostAndPort): ReadConnection {
    const key = `${host} ${port}`;
    const idle = this.#idle.get(key) ?? [];
    for (let each = idle.pop(); each !== undefined; each = idle.pop()) {
      if (each.isOpen) return each;
    }
    return this.#open(key, { host, port });
  }

  destroy(): void {
    for (const idle of this.#idle.values()) {
      for (const connection of idle) connection.destroy();
    }
    this.#idle.clear();
  }

  #open(key: string, { host, port }: HostAndPort): ReadConnection {
    const socket = connect({ host, port, noDelay: true });
    limitConnecting(socket, this.#connectMs);
    const connection = new ReadConnection(socket, (each) => this.#keep(key, each));
    connection.onceClosed(() => this.#forget(key, connection));
    return connection;
  }

  #keep(key: string, connection: ReadConnection): boolean {
    const idle = this.#idle.get(key) ?? [];
    if (idle.length >= IDLE_COUNT_MAX) return false;
    idle.push(connection);
    this.#idle.set(key, idle);
    return true;
  }

  #forget(key: string, connection: ReadConnection): void {
    const idle = this.#idle.get(key);
    const index = idle?.indexOf(connection) ?? -1;
    if (index >= 0) idle!.splice(index, 1);
    // Primaries come and go.
    if (idle?.length === 0) this.#idle.delete(key);
  }
}
