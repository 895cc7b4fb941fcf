// A pair of connected sockets, over which a child process hands us a file descriptor (SCM_RIGHTS).

import { addressOf, checkResult, lastErrno, libcFunction, syscallError } from './libc.ts';
import { ERRNO } from './errno.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;

// struct msghdr: 16 iovec *iov, 24 size_t iovlen, 32 void *control, 40 size_t controllen.
const MSGHDR_BYTES = 56;
// struct iovec: 0 void *base, 8 size_t length.
const IOVEC_BYTES = 16;
// struct cmsghdr: 0 size_t length, 8 int level, 12 int type; the descriptor at 16, padded.
const CMSG_BYTES = 24;
const CMSG_LENGTH = 20;

const libcSocketpair = libcFunction<
  (domain: number, type: number, protocol: number, pair: Uint8Array) => number
>('int socketpair(int domain, int type, int protocol, void *pair)');
const libcRecvmsg = libcFunction<(fd: number, message: Uint8Array, flags: number) => number>(
  'int recvmsg(int fd, void *message, int flags)',
);

/** Two ends of a local stream; both are closed on exec unless a child is given one explicitly. */
export function createSocketPair(): readonly [number, number] {
  const pair = new Uint8Array(8);
  checkResult('socketpair', libcSocketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
  const view = new DataView(pair.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/**
 * Takes the descriptor out of a message that has already been sent to `socket`; closed on exec.
 * Undefined when there is no message, or one without a descriptor.
 */
export function tryReceiveDescriptor(socket: number): number | undefined {
  const data = new Uint8Array(1);
  const iovec = new BigUint64Array([addressOf(data), 1n]);
  const control = new Uint8Array(CMSG_BYTES);
  const message = new Uint8Array(MSGHDR_BYTES);
  const view = new DataView(message.buffer);
  view.setBigUint64(16, addressOf(new Uint8Array(iovec.buffer, 0, IOVEC_BYTES)), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, addressOf(control), true);
  view.setBigUint64(40, BigInt(CMSG_BYTES), true);

  if (libcRecvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) === -1) {
    const errno = lastErrno();
    if (errno === ERRNO.EAGAIN) return undefined;
    throw syscallError('recvmsg', errno);
  }
  const header = new DataView(control.buffer);
  const hasDescriptor =
    view.getBigUint64(40, true) >= BigInt(CMSG_LENGTH) &&
    header.getInt32(8, true) === SOL_SOCKET &&
    header.getInt32(12, true) === SCM_RIGHTS;
  return hasDescriptor ? header.getInt32(16, true) : undefined;
}
