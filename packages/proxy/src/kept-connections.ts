// Connections that are kept and used again, for reads without a body. Writes have one each, and so
// has whatever has a body (docs/decisions/0020).
//
// Invariants:
//  - A connection carries one request at a time, and is used again only after an answer that was
//    whole and left nothing behind.
//  - None is used again that has carried a body: an app that has not read it would take it for the
//    next request, and somebody else would get the answer.

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
    if (this.isOpen && this.#onIdle()) this.#socket.setTimeout(IDLE_MS);
    else this.#socket.destroy();
  }

  /** Nobody hears of it any more. */
  destroy(error?: Error): void {
    if (error === undefined) this.#user = undefined;
    this.#socket.destroy(error);
  }
}

export class KeptConnections {
  readonly #connectMs: number;
  readonly #idle = new Map<string, KeptConnection[]>();

  constructor(connectMs: number) {
    this.#connectMs = connectMs;
  }

  /** The one that was used last is the least likely to be closed by now. */
  take({ host, port }: HostAndPort): KeptConnection {
    const key = `${host} ${port}`;
    const idle = this.#idle.get(key) ?? [];
    for (let each = idle.pop(); each !== undefined; each = idle.pop()) {
      if (each.isOpen) return each;
    }
    const connection = this.#open({ host, port }, (each) => this.#keep(key, each));
    connection.onceClosed(() => this.#forget(key, connection));
    return connection;
  }

  /** For one request, and never kept. */
  takeNew(to: HostAndPort): KeptConnection {
    return this.#open(to, () => false);
  }

  destroy(): void {
    for (const idle of this.#idle.values()) {
      for (const connection of idle) connection.destroy();
    }
    this.#idle.clear();
  }

  #open({ host, port }: HostAndPort, onIdle: (each: KeptConnection) => boolean): KeptConnection {
    const socket = connect({ host, port, noDelay: true });
    limitConnecting(socket, this.#connectMs);
    return new KeptConnection(socket, onIdle);
  }

  #keep(key: string, connection: KeptConnection): boolean {
    const idle = this.#idle.get(key) ?? [];
    if (idle.length >= IDLE_COUNT_MAX) return false;
    idle.push(connection);
    this.#idle.set(key, idle);
    return true;
  }

  #forget(key: string, connection: KeptConnection): void {
    const idle = this.#idle.get(key);
    const index = idle?.indexOf(connection) ?? -1;
    if (index >= 0) idle!.splice(index, 1);
    // Primaries come and go.
    if (idle?.length === 0) this.#idle.delete(key);
  }
}
