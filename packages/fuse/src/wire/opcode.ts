// Opcodes of the FUSE kernel protocol: enum fuse_opcode of include/uapi/linux/fuse.h, 7.45 (Linux
// 6.18). Wire numbers: cannot change.

/** What a request asks for. 7.x: the protocol version that brought it, where later than 7.12. */
export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41, // 7.15
  BATCH_FORGET: 42, // 7.16
  FALLOCATE: 43, // 7.19
  READDIRPLUS: 44, // 7.21
  RENAME2: 45, // 7.23
  LSEEK: 46, // 7.24
  COPY_FILE_RANGE: 47, // 7.28
  SETUPMAPPING: 48, // 7.31, only with DAX
  REMOVEMAPPING: 49, // 7.31, only with DAX
  SYNCFS: 50, // 7.34
  TMPFILE: 51, // 7.37
  STATX: 52, // 7.39
  COPY_FILE_RANGE_64: 53, // 7.45
} as const;

export type OpcodeName = keyof typeof OPCODE;

/** One more than the greatest opcode: the length of a table by opcode. */
export const OPCODE_END = 54;

const names: (OpcodeName | undefined)[] = Array.from({ length: OPCODE_END });
for (const [name, opcode] of Object.entries(OPCODE)) names[opcode] = name as OpcodeName;

/** "WRITE", or undefined for a number that no request carries. */
export function maybeOpcodeName(opcode: number): OpcodeName | undefined {
  return names[opcode];
}

/** "WRITE", or "OPCODE_99" for a request that is newer than this table. */
export function opcodeName(opcode: number): string {
  return names[opcode] ?? `OPCODE_${opcode}`;
}

/** Requests that the kernel takes no reply to: a reply with their unique would be refused. */
export function takesReply(opcode: number): boolean {
  return (
    opcode !== OPCODE.FORGET && opcode !== OPCODE.BATCH_FORGET && opcode !== OPCODE.NOTIFY_REPLY
  );
}

// RELEASE and RELEASEDIR are sent in the background after the last close; INTERRUPT accompanies a
// request that is waited for already; INIT follows the mount, which has returned by then.
const NOT_WAITED_FOR: ReadonlySet<number> = new Set<number>([
  OPCODE.FORGET,
  OPCODE.BATCH_FORGET,
  OPCODE.RELEASE,
  OPCODE.RELEASEDIR,
  OPCODE.INTERRUPT,
  OPCODE.NOTIFY_REPLY,
  OPCODE.INIT,
]);

/** Whether some process stands still until the request is answered: a round trip. */
export function isWaitedFor(opcode: number): boolean {
  return !NOT_WAITED_FOR.has(opcode);
}
