// The bytes on which SQLite's unix VFS takes its POSIX locks. Other programs that lock the same
// bytes take part in SQLite's protocol; nothing is ever stored in them.
//
// Database file: src/os.h ("PENDING_BYTE"). Wal-index file: src/os_unix.c ("UNIX_SHM_BASE") and
// https://sqlite.org/walformat.html ("WAL Locks"). On disk: cannot change.

/** Held while waiting for the last readers to leave, so that no new one comes. */
export const PENDING_BYTE = 0x4000_0000;
/** Held by the one connection that intends to write. */
export const RESERVED_BYTE: number = PENDING_BYTE + 1;
/** Readers hold a shared lock on the whole range, a committing writer an exclusive one. */
export const SHARED_FIRST: number = PENDING_BYTE + 2;
export const SHARED_SIZE = 510;

/** Wal-index: held by the one connection that appends to the WAL. */
export const WAL_WRITE_LOCK = 120;
/** Wal-index: held while frames are copied back into the database. */
export const WAL_CKPT_LOCK = 121;
/** Wal-index: held while the index is rebuilt from the WAL. */
export const WAL_RECOVER_LOCK = 122;
/** Wal-index: the first of the WAL_READ_LOCK_COUNT locks of readers, one for each read mark. */
export const WAL_READ_LOCK_FIRST = 123;
export const WAL_READ_LOCK_COUNT = 5;
/**
 * Wal-index: the dead man's switch. Every connection holds it shared; whoever can have it
 * exclusively is the only connection, and empties the index before anything else.
 */
export const WAL_DMS_LOCK = 128;

/**
 * The page that holds the lock bytes of a database: never written, never in a journal, in no WAL
 * and in no checksum, even in a database so large that it lies within it. A database of fewer pages
 * does not have it.
 */
export function lockPgno(pageSize: number): number {
  return PENDING_BYTE / pageSize + 1;
}
