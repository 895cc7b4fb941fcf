// Fixed-width integers in byte arrays.
//
// A 64-bit number is a bigint at the edges of a module and a pair of unsigned 32-bit halves where
// it is computed on: bigint arithmetic allocates and is some 100 times slower (Node 24, 2026).

import { assert } from './assert.ts';

const HEX_64 = /^[0-9a-f]{16}$/;

export function u64FromHalves(hi: number, lo: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** The upper 32 bits. */
export function u64Hi(value: bigint): number {
  return Number((value >> 32n) & 0xffffffffn);
}

/** The lower 32 bits. */
export function u64Lo(value: bigint): number {
  return Number(value & 0xffffffffn);
}

export function readU32be(bytes: Uint8Array, offset: number): number {
  assert(offset >= 0 && offset + 4 <= bytes.length, 'Reads a u32 outside of the array');
  return (
    ((bytes[offset]! << 24) |
      (bytes[offset + 1]! << 16) |
      (bytes[offset + 2]! << 8) |
      bytes[offset + 3]!) >>>
    0
  );
}

export function readU32le(bytes: Uint8Array, offset: number): number {
  assert(offset >= 0 && offset + 4 <= bytes.length, 'Reads a u32 outside of the array');
  return (
    (bytes[offset]! |
      (bytes[offset + 1]! << 8) |
      (bytes[offset + 2]! << 16) |
      (bytes[offset + 3]! << 24)) >>>
    0
  );
}

export function writeU32be(bytes: Uint8Array, offset: number, value: number): void {
  assert(offset >= 0 && offset + 4 <= bytes.length, 'Writes a u32 outside of the array');
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

export function writeU32le(bytes: Uint8Array, offset: number, value: number): void {
  assert(offset >= 0 && offset + 4 <= bytes.length, 'Writes a u32 outside of the array');
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

export function readU64be(bytes: Uint8Array, offset: number): bigint {
  return u64FromHalves(readU32be(bytes, offset), readU32be(bytes, offset + 4));
}

export function readU64le(bytes: Uint8Array, offset: number): bigint {
  return u64FromHalves(readU32le(bytes, offset + 4), readU32le(bytes, offset));
}

/** Writes the lower 64 bits of `value`. */
export function writeU64be(bytes: Uint8Array, offset: number, value: bigint): void {
  writeU32be(bytes, offset, u64Hi(value));
  writeU32be(bytes, offset + 4, u64Lo(value));
}

/** Writes the lower 64 bits of `value`. */
export function writeU64le(bytes: Uint8Array, offset: number, value: bigint): void {
  writeU32le(bytes, offset, u64Lo(value));
  writeU32le(bytes, offset + 4, u64Hi(value));
}

/** Sixteen lowercase hexadecimal digits. */
export function formatHex64(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0');
}

/** The number that exactly sixteen lowercase hexadecimal digits say, or undefined. */
export function maybeParseHex64(text: string): bigint | undefined {
  return HEX_64.test(text) ? BigInt(`0x${text}`) : undefined;
}
