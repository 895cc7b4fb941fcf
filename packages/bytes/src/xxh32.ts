// xxHash32, the checksum inside LZ4 frames.
//
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH32 Algorithm", seed
// 0.

import { assert } from './assert.ts';
import { BufferView } from './buffer-view.ts';
import { readU32le } from './u64.ts';

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** Bytes that the four accumulators take in at once. */
const STRIPE = 16;

export class Xxh32 {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #length = 0;
  /** What came after the last whole stripe. */
  readonly #rest = new Uint8Array(STRIPE);
  #restLength = 0;
  readonly #views = new BufferView();

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#a = (PRIME_1 + PRIME_2) | 0;
    this.#b = PRIME_2 | 0;
    this.#c = 0;
    this.#d = -PRIME_1 | 0;
    this.#length = 0;
    this.#restLength = 0;
  }

  /** Adds the bytes from `start` to `end`. */
  update(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    assert(0 <= start && start <= end && end <= bytes.length, 'Hash of bytes outside of the array');
    this.#length += end - start;
    let at = start;
    if (this.#restLength > 0) {
      const missing = Math.min(STRIPE - this.#restLength, end - at);
      this.#keep(bytes, at, at + missing);
      at += missing;
      if (this.#restLength < STRIPE) return;
      this.#addStripes(this.#rest, 0, STRIPE);
      this.#restLength = 0;
    }
    const stripesEnd = at + ((end - at) & -STRIPE);
    this.#addStripes(bytes, at, stripesEnd);
    this.#keep(bytes, stripesEnd, end);
  }

  /** The hash of all bytes so far, unsigned. More may be added afterwards. */
  digest(): number {
    let h = PRIME_5;
    if (this.#length >= STRIPE) {
      h = rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18);
    }
    h = (h + this.#length) | 0;
    let at = 0;
    for (; at + 4 <= this.#restLength; at += 4) {
      h = (h + Math.imul(readU32le(this.#rest, at), PRIME_3)) | 0;
      h = Math.imul(rotate(h, 17), PRIME_4);
    }
    for (; at < this.#restLength; at += 1) {
      h = (h + Math.imul(this.#rest[at]!, PRIME_5)) | 0;
      h = Math.imul(rotate(h, 11), PRIME_1);
    }
    h = Math.imul(h ^ (h >>> 15), PRIME_2);
    h = Math.imul(h ^ (h >>> 13), PRIME_3);
    return (h ^ (h >>> 16)) >>> 0;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      this.#rest[this.#restLength] = bytes[at]!;
      this.#restLength += 1;
    }
  }

  #addStripes(bytes: Uint8Array, start: number, end: number): void {
    const view = this.#views.of(bytes);
    const last = bytes.byteOffset + end;
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let at = bytes.byteOffset + start; at < last; at += STRIPE) {
      a = mix(a, view.getInt32(at, true));
      b = mix(b, view.getInt32(at + 4, true));
      c = mix(c, view.getInt32(at + 8, true));
      d = mix(d, view.getInt32(at + 12, true));
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(accumulator: number, lane: number): number {
  return Math.imul(rotate((accumulator + Math.imul(lane, PRIME_2)) | 0, 13), PRIME_1);
}

/** The xxHash32 of the bytes from `start` to `end`, unsigned. */
export function xxh32(bytes: Uint8Array, start?: number, end?: number): number {
  const hash = new Xxh32();
  hash.update(bytes, start, end);
  return hash.digest();
}
