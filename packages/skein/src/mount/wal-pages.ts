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
// The kernel then takes the file for longer than it is, and is left in that belief: until a client
// cuts the file it is never told of a smaller size than it knows. For what lies behind the size
// that it is told it forgets, and a page that the end goes through it fills up with zeros, also
// where another client has just written: of a write that does not make the file longer, as the
// kernel sees it, it does not know that an answer about the size may be older. What lies behind the
// true end are zeros, which are no frame.

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
  readonly #notifiers: Pick<Notifiers, 'store' | 'isForgetting'>;

  constructor(notifiers: Pick<Notifiers, 'store' | 'isForgetting'>) {
    this.#notifiers = notifiers;
  }

  /** A client has written up to `end`. Returns what the answer has to wait for. */
  prepareBehind(node: MountNode, end: number): Pending | undefined {
    node.knownBytes = Math.max(node.knownBytes, end);
    if (node.completeBytes >= end + MARGIN_BYTES) return undefined;
    if (this.#notifiers.isForgetting(node.id)) return undefined;
    const first = Math.max(align(end), node.completeBytes);
    const behind = align(end) + AHEAD_BYTES;
    node.completeBytes = behind;
    // Before the zeros are there: an answer from now on may reach the kernel after them.
    node.knownBytes = Math.max(node.knownBytes, behind);
    const prepared = new Pending();
    const piece = { offset: first, bytes: ZEROS.subarray(0, behind - first) };
    this.#notifiers.store(node.name, [piece], () => prepared.settle());
    return prepared;
  }
}

/** How long the kernel may be told that a WAL is. */
export function shownWalBytes(node: MountNode): number {
  node.knownBytes = Math.max(node.knownBytes, node.file.sizeBytes);
  return node.knownBytes;
}

/** A client has made the file so long, or short: it has no other answer in mind. */
export function walWasCut(node: MountNode, sizeBytes: number): void {
  node.knownBytes = sizeBytes;
  node.completeBytes = Math.min(node.completeBytes, sizeBytes);
}

/**
 * What a client reads from `position` on, behind the true end: zeros, as far as the kernel takes
 * the file to go. A read that comes short would tell it of a smaller size, too. Returns how many.
 */
export function readBehind(node: MountNode, into: Uint8Array, position: number): number {
  const count = Math.min(Math.max(node.knownBytes - position, 0), into.length);
  into.fill(0, 0, count);
  return count;
}

function align(position: number): number {
  return Math.ceil(position / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
