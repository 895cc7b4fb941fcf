// Keeps the kernel's pages of a WAL complete ahead of its writer.
//
// A write into a page of which the kernel has only a part goes to the daemon by itself, so that a
// frame, which never begins on a page, takes three requests: its header and two pieces of its page.
// Where the pages are complete it takes two. So zeros are put into the pages that come next
// (FUSE_NOTIFY_STORE), some hundred kilobytes at a time.
//
// Invariant: zeros are never put where somebody may be writing. They are put while the answer to a
// write is withheld, into pages behind it: its client is the only one that may write to the WAL,
// for it holds WAL_WRITE_LOCK, and it stands still.
//
// The kernel then takes the file for longer than it is, until it asks for its size: it does for
// every stat(2), since a write makes what it knows doubtful. What lies behind the end it forgets
// then. A client that reads there all the same reads zeros, which are no frame.

import { Pending } from '@skein/engine';

import type { MountNode } from './nodes.ts';
import type { Notifiers } from './notifiers.ts';

/** The largest page of memory that Linux has on any machine. */
const ALIGNMENT_BYTES = 65_536;
/** More than the longest frame: the next write is ready for. */
const MARGIN_BYTES = ALIGNMENT_BYTES + 4096;
const AHEAD_BYTES = 4 * ALIGNMENT_BYTES;

const ZEROS = new Uint8Array(AHEAD_BYTES);

export class WalPages {
  readonly #notifiers: Notifiers;

  constructor(notifiers: Notifiers) {
    this.#notifiers = notifiers;
  }

  /** A client has written up to `end`. Returns what the answer has to wait for. */
  prepareBehind(node: MountNode, end: number): Pending | undefined {
    if (node.completeBytes >= end + MARGIN_BYTES) return undefined;
    if (this.#notifiers.isForgetting(node.id)) return undefined;
    const first = Math.max(align(end), node.completeBytes);
    const behind = align(end) + AHEAD_BYTES;
    node.completeBytes = behind;
    const prepared = new Pending();
    const piece = { offset: first, bytes: ZEROS.subarray(0, behind - first) };
    this.#notifiers.store(node.name, [piece], () => prepared.settle());
    return prepared;
  }
}

/** The kernel has been told that the file is so long, and has forgotten what lies behind. */
export function forgetBehind(node: MountNode, sizeBytes: number): void {
  node.completeBytes = Math.min(node.completeBytes, sizeBytes);
}

function align(position: number): number {
  return Math.ceil(position / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
