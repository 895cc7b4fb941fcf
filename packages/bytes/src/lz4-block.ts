// LZ4 blocks: what both directions share.
//
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md. A block is a row of sequences: a
// token (upper four bits: number of literals, lower four: match length less four), more length
// bytes where four bits are not enough, the literals, a two-byte little-endian distance back, more
// length bytes. The last sequence ends after its literals.

/** Shortest match: shorter ones cannot be written. */
export const MATCH_LENGTH_MIN = 4;

/** A distance has 16 bits. */
export const MATCH_DISTANCE_MAX = 0xffff;

/** Value of a token's half that says "and the bytes that follow". */
export const TOKEN_LENGTH_MAX = 15;

/** Longest block that `length` bytes can become. */
export function lz4BlockBound(length: number): number {
  return length + Math.floor(length / 255) + 16;
}
