// Connections that have switched to another protocol, such as WebSockets: bytes both ways, until
// one side ends.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { keptResponseHeaders } from './request-headers.ts';

export interface Upgrade {
  readonly socket: Socket;
  /** What came after the request. */
  readonly head: Buffer;
}

export class Tunnels {
  readonly #sizeMax: number;
  readonly #onSize: (size: number) => void;
  readonly #sockets = new Set<Socket>();

  constructor(sizeMax: number, onSize: (size: number) => void) {
    this.#sizeMax = sizeMax;
    this.#onSize = onSize;
  }

  get isFull(): boolean {
    return this.#sockets.size >= this.#sizeMax;
  }

  /** Joins a client with the other side, which has agreed to switch. */
  open(
    client: Upgrade & { readonly response: ServerResponse },
    other: Upgrade & { readonly answer: IncomingMessage },
    headers: readonly string[],
  ): void {
    const { socket } = client;
    client.response.detachSocket(socket);
    this.#sockets.add(socket);
    this.#onSize(this.#sockets.size);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#onSize(this.#sockets.size);
    });
    socket.write(switchingHead(other.answer, headers), 'latin1');
    if (other.head.length > 0) socket.write(other.head);
    if (client.head.length > 0) other.socket.write(client.head);
    join(socket, other.socket);
    join(other.socket, socket);
  }

  /** Nothing of theirs ends by itself. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What has an end on one side has it on the other, with everything that was sent before. */
function join(from: Socket, to: Socket): void {
  from.setTimeout(0);
  from.setNoDelay(true);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.once('close', () => to.destroySoon());
}

function switchingHead(answer: IncomingMessage, headers: readonly string[]): string {
  const sent = [...keptResponseHeaders(answer.rawHeaders, true), ...headers];
  const lines = [`HTTP/1.1 101 ${answer.statusMessage}`, 'Connection: Upgrade'];
  if (answer.headers.upgrade !== undefined) lines.push(`Upgrade: ${answer.headers.upgrade}`);
  for (let i = 0; i + 1 < sent.length; i += 2) lines.push(`${sent[i]}: ${sent[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
