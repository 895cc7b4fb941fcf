// Notifications: messages by which the daemon changes what the kernel remembers, unasked. They have
// the header of a reply, with the code in place of the error and 0 as unique.

import { encodeOutHeader, OUT_HEADER_BYTES, setU64 } from './structs.ts';

/** enum fuse_notify_code. Wire numbers: cannot change. */
export const NOTIFY = {
  POLL: 1,
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  RETRIEVE: 5,
  DELETE: 6,
  RESEND: 7,
  INC_EPOCH: 8,
} as const;

const utf8 = new TextEncoder();

function message(code: number, bodyBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(OUT_HEADER_BYTES + bodyBytes);
  const view = new DataView(bytes.buffer);
  encodeOutHeader(view, bytes.length, code, 0, 0);
  return { bytes, view };
}

/**
 *   struct fuse_notify_inval_inode_out: forget attributes, and pages from `off` on
 *    0 u64 ino   the nodeid
 *    8 i64 off   negative: attributes only
 *   16 i64 len   0 or less: to the end
 */
export function encodeInvalInode(nodeid: number, off: number, len: number): Uint8Array {
  const { bytes, view } = message(NOTIFY.INVAL_INODE, 24);
  setU64(view, 16, nodeid);
  setU64(view, 24, off);
  setU64(view, 32, len);
  return bytes;
}

/**
 *   struct fuse_notify_inval_entry_out, then the name and a NUL byte: forget the name
 *    0 u64 parent
 *    8 u32 namelen   without the NUL
 *   12 u32 flags     INVAL_ENTRY_FLAGS
 */
export function encodeInvalEntry(parent: number, name: string, flags = 0): Uint8Array {
  const encoded = utf8.encode(name);
  const { bytes, view } = message(NOTIFY.INVAL_ENTRY, 16 + encoded.length + 1);
  setU64(view, 16, parent);
  view.setUint32(24, encoded.length, true);
  view.setUint32(28, flags, true);
  bytes.set(encoded, 32);
  return bytes;
}

/**
 *   struct fuse_notify_delete_out, then the name and a NUL byte: the file is gone (inotify tells)
 *    0 u64 parent
 *    8 u64 child
 *   16 u32 namelen
 *   20 u32 padding
 */
export function encodeDelete(parent: number, child: number, name: string): Uint8Array {
  const encoded = utf8.encode(name);
  const { bytes, view } = message(NOTIFY.DELETE, 24 + encoded.length + 1);
  setU64(view, 16, parent);
  setU64(view, 24, child);
  view.setUint32(32, encoded.length, true);
  bytes.set(encoded, 40);
  return bytes;
}

/**
 *   struct fuse_notify_store_out, then the data: put it into the page cache
 *    0 u64 nodeid
 *    8 u64 offset
 *   16 u32 size
 *   20 u32 padding
 */
export function encodeStore(nodeid: number, offset: number, data: Uint8Array): Uint8Array {
  const { bytes, view } = message(NOTIFY.STORE, 24 + data.length);
  setU64(view, 16, nodeid);
  setU64(view, 24, offset);
  view.setUint32(32, data.length, true);
  bytes.set(data, 40);
  return bytes;
}
