// How long streams wait for what.

export interface StreamTiming {
  /** A side that has sent nothing for so long sends a heartbeat. LiteFS has the same. */
  readonly heartbeatMs: number;
  /** A peer from which nothing came for so long is given up: three heartbeats, and some delay. */
  readonly silenceMs: number;
  /** From the connection to the first frame. Also the end of those who send byte by byte. */
  readonly handshakeMs: number;
  /** After a stream has ended until the next is tried, give or take a quarter. */
  readonly reconnectMs: number;
}

export const STREAM_TIMING: StreamTiming = {
  heartbeatMs: 1000,
  silenceMs: 3500,
  handshakeMs: 10_000,
  reconnectMs: 1000,
};

/**
 * So many times the silence is borne of a LiteFS that is in the middle of an LTX file, or has not
 * sent all yet: it sends no heartbeats then, and makes snapshots as it sends them.
 */
export const LITEFS_PATIENCE = 10;
