// Tells the kernel to forget, or to remember, what it caches of a mount.
//
// THE RULE: never from the thread that answers requests. A notification waits for locks that the
// kernel holds for requests under way; if the answer to those is the notifying thread's to give,
// both wait for ever, beyond the reach of kill -9. Make a Notifier in a thread of its own, from the
// number of the device's descriptor. What waits for what, on Linux 6.18:
//
//   invalInode of a page    a READ or WRITE of that page under way; not FSYNC, SETATTR or names
//   invalEntry, delete      any name operation in that folder under way (UNLINK, CREATE, LOOKUP)
//   store                   as invalInode
//
// So a thread that answers requests must not wait for the notifying thread either while it
// withholds one of those.

import { ERRNO, errnoName, SyscallError, writeDescriptor } from '@skein/host';

import type { TraceLine } from './device-channel.ts';
import {
  encodeDelete,
  encodeInvalEntry,
  encodeInvalInode,
  encodeStore,
} from './wire/notifications.ts';
import { formatNotification } from './wire/trace.ts';

/** Forgets no pages, only attributes. */
const ATTRIBUTES_ONLY = -1;

export interface ByteRange {
  readonly offset: number;
  /** 0: up to the end of the file. */
  readonly length: number;
}

/**
 * Every method returns false when there is nothing to do: the kernel does not know the node or the
 * name, or the mount is gone. Throws SyscallError for anything else.
 */
export class Notifier {
  readonly #fd: number;
  readonly #trace: TraceLine | undefined;

  /** `fd` is that of the device loop; it must stay open as long as the notifier is used. */
  constructor(fd: number, trace?: TraceLine) {
    this.#fd = fd;
    this.#trace = trace;
  }

  /** Forgets the attributes of a file and its pages: those that lie in the range, or all. */
  invalInode(nodeid: number, range: ByteRange = { offset: 0, length: 0 }): boolean {
    return this.#send('INVAL_INODE', encodeInvalInode(nodeid, range.offset, range.length));
  }

  /** Forgets the attributes of a file, or of a folder, and keeps its pages. */
  invalAttributes(nodeid: number): boolean {
    return this.#send('INVAL_INODE', encodeInvalInode(nodeid, ATTRIBUTES_ONLY, 0));
  }

  /** Forgets a name, or that there is no such name. */
  invalEntry(parent: number, name: string): boolean {
    return this.#send('INVAL_ENTRY', encodeInvalEntry(parent, name));
  }

  /** Forgets a name because its file is gone, which who watches the folder is told. */
  delete(parent: number, child: number, name: string): boolean {
    return this.#send('DELETE', encodeDelete(parent, child, name));
  }

  /**
   * Puts data into the page cache of a file and makes the file as long as that needs, in the eyes
   * of the kernel, until its attributes are asked for.
   */
  store(nodeid: number, offset: number, data: Uint8Array): boolean {
    return this.#send('STORE', encodeStore(nodeid, offset, data));
  }

  #send(name: string, message: Uint8Array): boolean {
    this.#trace?.(formatNotification(message));
    const written = writeDescriptor(this.#fd, message, message.length);
    if (written === message.length) return true;
    // ENOENT: not known. ENOTCONN, ENODEV and EPERM: the mount is gone, or not yet there.
    const isNothingToDo = [ERRNO.ENOENT, ERRNO.ENOTCONN, ERRNO.ENODEV, ERRNO.EPERM].includes(
      -written,
    );
    if (isNothingToDo) return false;
    throw new SyscallError(`write of FUSE_NOTIFY_${name}`, -written, errnoName(-written));
  }
}
