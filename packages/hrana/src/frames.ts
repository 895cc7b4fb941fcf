// What the server and its workers write to each other, over a socket between the two processes.
//
//   offset  size  field
//        0     4  bytes of the body that follows
//        4     4  number of the request; 0 where it is about none
//        8     4  number of the stream
//       12     1  kind
//       13     1  flags
//
// Bodies are passed on as bytes: only a worker reads SQL. Both ends are of one version, so this may
// change.

import type { Socket } from 'node:net';

import { assert } from '@skein/bytes';

/** To a worker. */
export const OPEN = 1;
export const RUN = 2;
export const CLOSE = 3;
/** Connections that are kept for later are to be closed: the node is another one now. */
export const RENEW = 4;
/** What the stream waits for may be free now. */
export const WAKE = 5;
/** From a worker. */
export const READY = 11;
export const DONE = 12;
/** It waits for a lock; meanwhile the worker has time for others. */
export const PARKED = 13;
/** Nothing was executed: it is for the primary. */
export const FORWARD = 14;
/** Nothing was executed: the request as a whole is refused. */
export const REFUSED = 15;

/** OPEN: the connection may only read. */
export const READ_ONLY = 1;
/** OPEN: a database that is not there is made. */
export const MAY_CREATE = 2;
/** OPEN: where the database stands is told after what only reads too. */
export const TELL_READS = 4;
/** DONE: the client has not closed the stream. */
export const STREAM_OPEN = 1;
/** DONE: the body begins with a position of sixteen digits, which what was committed has. */
export const WITH_POSITION = 2;
/** DONE: it held a lock until now. */
export const RELEASED = 4;

export const POSITION_LENGTH = 16;

export interface FrameHead {
  readonly request: number;
  readonly stream: number;
  readonly kind: number;
  readonly flags: number;
}

const HEAD_BYTES = 14;
const NO_BODY = Buffer.alloc(0);

/** Both as one write. */
export function writeFrame(socket: Socket, head: FrameHead, body: Buffer = NO_BODY): void {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes.writeUInt32LE(body.length, 0);
  bytes.writeUInt32LE(head.request, 4);
  bytes.writeUInt32LE(head.stream, 8);
  bytes[12] = head.kind;
  bytes[13] = head.flags;
  body.copy(bytes, HEAD_BYTES);
  socket.write(bytes);
}

/** Puts frames together out of what comes over a socket. */
export class FrameReader {
  readonly #take: (head: FrameHead, body: Buffer) => void;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  /** Of the frame that is being waited for, as far as that is known. */
  #neededBytes = HEAD_BYTES;

  constructor(take: (head: FrameHead, body: Buffer) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes < this.#neededBytes) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      this.#neededBytes = neededBytes(bytes);
      if (bytes.length < this.#neededBytes) break;
      const frame = bytes.subarray(0, this.#neededBytes);
      bytes = bytes.subarray(this.#neededBytes);
      this.#take(headOf(frame), frame.subarray(HEAD_BYTES));
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#waitingBytes = bytes.length;
  }
}

function neededBytes(bytes: Buffer): number {
  return bytes.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + bytes.readUInt32LE(0);
}

function headOf(frame: Buffer): FrameHead {
  assert(frame.length >= HEAD_BYTES, 'A frame has a head');
  return {
    request: frame.readUInt32LE(4),
    stream: frame.readUInt32LE(8),
    kind: frame[12]!,
    flags: frame[13]!,
  };
}
