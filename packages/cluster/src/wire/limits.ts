// How large the parts of the protocol may be. A peer that sends more is refused before the memory
// for it is taken.

/** Names of databases; NAME_MAX of Linux, since each is a file on every node. */
export const NAME_BYTES_MAX = 255;

/** Entries of a position map: far more databases than a folder is good for. */
export const DATABASE_COUNT_MAX = 65_536;

/**
 * An LTX file that goes over the wire as one transaction. The log keeps transactions of up to 16
 * MiB inline; what is larger is a file.
 */
export const TRANSACTION_BYTES_MAX: number = 32 * 1024 * 1024;

/** One piece of a file: between two pieces other frames find their way. */
export const FILE_PIECE_BYTES_MAX: number = 1024 * 1024;

/** Names of transfers that can be resumed. */
export const FILE_ID_BYTES_MAX = 128;

/** The id of a Consul session has 36. */
export const LEASE_ID_BYTES_MAX = 256;

/** What the length of a chunk, two bytes, can say. */
export const CHUNK_BYTES_MAX = 65_535;

/** LiteFS copies files through a buffer of this size, so these are its chunks. */
export const LITEFS_CHUNK_BYTES = 32_768;
