// Reading, writing and waiting on file descriptors without node:fs, for loops that block a thread
// on purpose: a device, an eventfd. node:fs throws at EAGAIN, which costs 5 µs; here it is a value.

import { assert } from '@skein/bytes';

import { ERRNO } from './errno.ts';
import { checkResult, lastErrno, libcFunction, syscallError } from './libc.ts';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_GETFL = 3;
const F_SETFL = 4;

const libcRead = libcFunction<(fd: number, buffer: Uint8Array, length: number) => number>(
  'int read(int fd, void *buffer, size_t length)',
);
const libcWrite = libcFunction<(fd: number, buffer: Uint8Array, length: number) => number>(
  'int write(int fd, const void *buffer, size_t length)',
);
const libcEventfd = libcFunction<(initial: number, flags: number) => number>(
  'int eventfd(unsigned int initial, int flags)',
);
const libcPoll = libcFunction<(fds: Uint8Array, count: number, timeoutMs: number) => number>(
  'int poll(void *fds, ulong count, int timeout)',
);
const libcIoctl = libcFunction<(fd: number, request: number, argument: Uint8Array) => number>(
  'int ioctl(int fd, ulong request, void *argument)',
);
const libcFcntl = libcFunction<(fd: number, command: number, argument: number) => number>(
  'int fcntl(int fd, int command, long argument)',
);

/**
 * read(2) into the beginning of `into`. Returns how many bytes came, or the negated error number:
 * -EAGAIN is an answer like any other to who polls.
 */
export function readDescriptor(fd: number, into: Uint8Array): number {
  const count = libcRead(fd, into, into.length);
  return count === -1 ? -lastErrno() : count;
}

/** write(2) of the first `length` bytes. Returns the count, or the negated error number. */
export function writeDescriptor(fd: number, from: Uint8Array, length: number): number {
  assert(length <= from.length, 'Writes more bytes than there are');
  const count = libcWrite(fd, from, length);
  return count === -1 ? -lastErrno() : count;
}

/** ioctl(2) with a struct that the kernel reads and may change. Returns its result. */
export function ioctl(fd: number, request: number, argument: Uint8Array): number {
  return checkResult('ioctl', libcIoctl(fd, request, argument));
}

/** Makes read(2) and write(2) on a descriptor return -EAGAIN where they would wait. */
export function setNonBlocking(fd: number): void {
  const flags = checkResult('fcntl', libcFcntl(fd, F_GETFL, 0));
  checkResult('fcntl', libcFcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/**
 * A descriptor by which any thread of this process wakes one that polls: a counter in the kernel,
 * readable while it is not zero. The number is valid in every thread.
 */
export function createEventfd(): number {
  return checkResult('eventfd', libcEventfd(0, O_NONBLOCK | O_CLOEXEC));
}

/** Adds one: wakes whoever polls the eventfd, now or when they next do. Never waits. */
export function signalEventfd(fd: number): void {
  const one = new Uint8Array(8);
  one[0] = 1;
  const written = writeDescriptor(fd, one, one.length);
  // A full counter means that 2^64 - 2 signals are waiting to be seen: one more says nothing new.
  if (written < 0 && written !== -ERRNO.EAGAIN) throw syscallError('write', -written);
}

/** Sets the counter to zero. False when it was: nobody signalled since the last time. */
export function drainEventfd(fd: number): boolean {
  const read = readDescriptor(fd, new Uint8Array(8));
  if (read < 0 && read !== -ERRNO.EAGAIN) throw syscallError('read', -read);
  return read > 0;
}

// struct pollfd: 0 int fd, 4 short events, 6 short revents.
const POLLFD_BYTES = 8;
const POLLIN = 1;

/** poll(2) for input on a fixed set of descriptors; what it needs is allocated once. */
export class Poller {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #count: number;

  constructor(fds: readonly number[]) {
    this.#bytes = new Uint8Array(fds.length * POLLFD_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
    this.#count = fds.length;
    for (const [index, fd] of fds.entries()) {
      this.#view.setInt32(index * POLLFD_BYTES, fd, true);
      this.#view.setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
    }
  }

  /**
   * Blocks this thread until a descriptor is ready or the time is over (-1: never). False when none
   * is ready: the time is over, or a signal came, which counts as an early end.
   */
  wait(timeoutMs: number): boolean {
    const ready = libcPoll(this.#bytes, this.#count, timeoutMs);
    if (ready >= 0) return ready > 0;
    const errno = lastErrno();
    if (errno !== ERRNO.EINTR) throw syscallError('poll', errno);
    return false;
  }

  /** After wait() said true: whether the descriptor at `index` can be read, if only an error. */
  isReady(index: number): boolean {
    assert(index >= 0 && index < this.#count, 'Asks for a descriptor that is not polled');
    return this.#view.getInt16(index * POLLFD_BYTES + 6, true) !== 0;
  }
}
