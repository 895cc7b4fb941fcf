// The sending side of /dev/fuse.

import { ERRNO, errnoName, writeDescriptor } from '@skein/host';

import { FuseProtocolError } from './errors.ts';
import type { ReplySink } from './reply.ts';
import { formatReply } from './wire/trace.ts';

export type TraceLine = (line: string) => void;

export class DeviceChannel implements ReplySink {
  heldCount = 0;
  readonly #fd: number;
  readonly #trace: TraceLine | undefined;
  #isOpen = true;

  constructor(fd: number, trace: TraceLine | undefined) {
    this.#fd = fd;
    this.#trace = trace;
  }

  send(bytes: Uint8Array, length: number, opcode: number): void {
    if (!this.#isOpen) return;
    this.#trace?.(formatReply(opcode, bytes, length));
    const written = writeDescriptor(this.#fd, bytes, length);
    // ENOENT: the request is gone, because its connection was aborted. Nobody waits any more.
    if (written === length || written === -ERRNO.ENOENT) return;
    // The mount is gone; the next read will say so.
    if (written === -ERRNO.ENODEV) return;
    throw new FuseProtocolError('FUSE_REPLY_REFUSED', `Reply is refused: ${errnoName(-written)}`);
  }

  /** From here on replies go nowhere: the number of the descriptor may soon be another file's. */
  close(): void {
    this.#isOpen = false;
  }
}
