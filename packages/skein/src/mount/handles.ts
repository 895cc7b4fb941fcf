// Open files: what a client reads and writes through, by the number that the kernel sends along.

import type { MountFile } from '@skein/engine';
import { FOPEN, type OpenOut } from '@skein/fuse';

import type { BackingIds } from './backing-ids.ts';
import { MountError } from './error-numbers.ts';
import { isGone, type MountNode } from './nodes.ts';

export interface Handle {
  readonly node: MountNode;
  readonly file: MountFile;
}

export class Handles {
  readonly #handles = new Map<number, Handle>();
  readonly #backingIds: BackingIds;
  #nextFh = 1;

  constructor(backingIds: BackingIds) {
    this.#backingIds = backingIds;
  }

  /** A client gets `file`, which the node or one client's view of it is. */
  open(node: MountNode, file: MountFile): OpenOut {
    const backingId = this.#backingIdFor(node, file);
    const fh = this.#nextFh++;
    this.#handles.set(fh, { node, file });
    node.openCount++;
    file.opened();
    const flush = file.wantsFlush ? 0 : FOPEN.NOFLUSH;
    if (backingId !== undefined) {
      node.backingId = backingId;
      return { fh, openFlags: FOPEN.PASSTHROUGH | flush, backingId };
    }
    const cache = file.bypassesCache ? FOPEN.DIRECT_IO : FOPEN.KEEP_CACHE;
    return { fh, openFlags: cache | flush, backingId: 0 };
  }

  get(fh: number): Handle {
    const handle = this.#handles.get(fh);
    if (handle === undefined) throw new MountError('EBADF');
    return handle;
  }

  /** As get(), for what needs the file to be there still. */
  getAttached(fh: number): Handle {
    const handle = this.get(fh);
    if (isGone(handle.node)) throw new MountError('ESTALE');
    return handle;
  }

  release(fh: number): Handle {
    const handle = this.get(fh);
    this.#handles.delete(fh);
    handle.node.openCount--;
    if (handle.node.openCount === 0) this.#giveBack(handle.node);
    return handle;
  }

  /** All handles of a node must be passed through, to the same file, or none of them. */
  #backingIdFor(node: MountNode, file: MountFile): number | undefined {
    if (node.openCount > 0) return node.backingId;
    const { backing } = file;
    return backing === undefined ? undefined : this.#backingIds.take(backing);
  }

  #giveBack(node: MountNode): void {
    if (node.backingId !== undefined) this.#backingIds.giveBack(node.backingId);
    node.backingId = undefined;
  }
}
