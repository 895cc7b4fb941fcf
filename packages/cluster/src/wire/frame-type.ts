// The types of frames, the first four bytes of each. On the wire: cannot change.

/** Those of LiteFS, from the primary to the replica. */
export const FRAME_LTX = 1;
export const FRAME_READY = 2;
export const FRAME_END = 3;
export const FRAME_DROP_DATABASE = 4;
export const FRAME_HANDOFF = 5;
export const FRAME_HIGH_WATER_MARK = 6;
/** In either direction between nodes of Skein. */
export const FRAME_HEARTBEAT = 7;

/** Those of Skein, which only nodes that agreed on its protocol send to each other. */
export const FRAME_TRANSACTION = 0x101;
export const FRAME_FILE_BEGIN = 0x102;
export const FRAME_FILE_PIECE = 0x103;
export const FRAME_FILE_END = 0x104;
/** From the replica to the primary. */
export const FRAME_ACKNOWLEDGEMENT = 0x110;
