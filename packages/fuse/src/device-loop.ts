// The loop that serves a mount: reads requests from /dev/fuse, has them answered, and between them
// lets other work of this thread be done. It blocks its thread on purpose and never turns the event
// loop: whoever wants something of this thread signals the eventfd.
//
// The order in which things happen is the caller's business alone: one thread, one request at a
// time, no promise anywhere.

import { drainEventfd, ERRNO, errnoName, Poller, readDescriptor } from '@skein/host';

import { DeviceChannel, type TraceLine } from './device-channel.ts';
import { createDispatcher } from './dispatch.ts';
import { FuseProtocolError } from './errors.ts';
import type { FuseHandler } from './handler.ts';
import { Reply } from './reply.ts';
import type { RequestCounts } from './request-counts.ts';
import { type InitOptions, maxWriteBytes, negotiate, type Negotiated } from './wire/init.ts';
import { type FuseRequest, RequestBuffer } from './wire/request-buffer.ts';
import { formatRequest } from './wire/trace.ts';

export interface DeviceLoopOptions {
  /** Of /dev/fuse, mounted and non-blocking. The loop does not close it. */
  readonly fd: number;
  /** An eventfd by which other threads call for wake(). */
  readonly wakeFd: number;
  readonly handler: FuseHandler;
  readonly init?: InitOptions;
  readonly counts?: RequestCounts;
  /** Gets a line for every message in either direction. */
  readonly trace?: TraceLine | undefined;

  /** The first request was answered: what the connection speaks. */
  readonly negotiated?: (negotiated: Negotiated) => void;
  /** A request came and is about to be served. A sign of life; it costs time on every request. */
  readonly received?: (request: FuseRequest) => void;
  /**
   * Does work that should wait while requests are there. Called when none is waiting, and at the
   * latest after 64 of them. Returns how many milliseconds the loop may sleep at most until it
   * calls again: 0 to look for requests and come back, -1 (also by default) for no limit.
   */
  readonly idle?: () => number;
  /** The eventfd was signalled, once or more often. May call stop(). */
  readonly wake?: () => void;
  /**
   * A method of the handler threw; its request has been answered EIO unless it was already answered
   * or is held. What this throws ends the loop, so an error that means a bug can be made fatal; the
   * clients then wait until the mount is taken down.
   */
  readonly handlerError: (error: unknown, request: string) => void;
}

/** `unmounted`: the kernel closed the connection. `stopped`: stop() was called. */
export type LoopEnd = 'unmounted' | 'stopped';

// The header of a WRITE is 80 bytes long; the kernel wants room for it before the data, and at
// least 8 KiB in all.
const HEADER_ROOM_BYTES = 8192;
/** So many requests are served in a row before the eventfd and idle() get their turn. */
const REQUESTS_IN_A_ROW = 64;

export class DeviceLoop {
  readonly #options: DeviceLoopOptions;
  readonly #channel: DeviceChannel;
  readonly #buffer: RequestBuffer;
  readonly #dispatch: () => void;
  #isStopping = false;

  constructor(options: DeviceLoopOptions) {
    const { handler, counts, trace, handlerError } = options;
    const init = options.init ?? {};
    this.#options = options;
    this.#channel = new DeviceChannel(options.fd, trace);
    this.#buffer = new RequestBuffer(maxWriteBytes(init) + HEADER_ROOM_BYTES);
    this.#dispatch = createDispatcher({
      buffer: this.#buffer,
      reply: Reply.reusable(this.#channel, maxWriteBytes(init)),
      handler,
      init: (request, reply) => {
        const negotiated = negotiate(request, init);
        reply.init(negotiated);
        options.negotiated?.(negotiated);
      },
      received: (request: FuseRequest) => {
        counts?.count(request.opcode);
        trace?.(formatRequest(request));
        options.received?.(request);
      },
      handlerError: (error, request) => handlerError(error, formatRequest(request)),
    });
  }

  /** Requests whose answer is held: as many processes stand still. */
  get heldCount(): number {
    return this.#channel.heldCount;
  }

  /** Serves until the mount is gone or stop() is called. May be called once. */
  run(): LoopEnd {
    const poller = new Poller([this.#options.fd, this.#options.wakeFd]);
    try {
      while (!this.#isStopping) {
        const isConnected = this.#serveWhatWaits();
        if (!isConnected) return 'unmounted';
        const sleepMs = this.#options.idle?.() ?? -1;
        if (this.#isStopping) break;
        const isReady = poller.wait(sleepMs);
        if (isReady && poller.isReady(1) && drainEventfd(this.#options.wakeFd)) {
          this.#options.wake?.();
        }
      }
      return 'stopped';
    } finally {
      this.#channel.close();
    }
  }

  /**
   * Ends run() before the next request. To be called on this thread: from wake(), say. The mount
   * stays; another loop may go on with it. Held replies are not sent any more.
   */
  stop(): void {
    this.#isStopping = true;
  }

  /** Serves until nothing waits, or long enough. False when the connection is closed. */
  #serveWhatWaits(): boolean {
    for (let served = 0; served < REQUESTS_IN_A_ROW && !this.#isStopping; served += 1) {
      const count = readDescriptor(this.#options.fd, this.#buffer.bytes);
      if (count > 0) {
        this.#buffer.length = count;
        this.#dispatch();
      } else if (count === -ERRNO.EAGAIN) {
        return true;
      } else if (count === -ERRNO.ENODEV || count === -ERRNO.ECONNABORTED) {
        return false;
      } else if (count !== -ERRNO.ENOENT && count !== -ERRNO.EINTR) {
        // ENOENT: a request that was withdrawn while it was being read.
        throw new FuseProtocolError('FUSE_DEVICE_FAILED', `Reading gives ${errnoName(-count)}`);
      }
    }
    return true;
  }
}
