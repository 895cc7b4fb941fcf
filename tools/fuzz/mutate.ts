// Makes a malformed input of good ones: a few changes of the kinds that find mistakes in decoders.

import type { SeededRandom } from '@skein/testkit';

type Mutation = (bytes: Uint8Array, random: SeededRandom, other: Uint8Array) => Uint8Array;

/** Changes to one input. */
const CHANGES_MAX = 4;

/** Longest stretch that is repeated, removed or put in, so that inputs stay small. */
const STRETCH_MAX = 600;

/** Edges of lengths and counts, in one, two and four bytes. */
const EDGES = [0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff];
const HIGH_EDGES = [0x80000000, 0x80000001, 0xfffffffe, 0xffffffff];

/** Another input, made of one of the seeds; the same for the same random sequence. */
export function mutate(seeds: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let bytes: Uint8Array = random.pick(seeds).slice();
  const count = random.int(1, CHANGES_MAX);
  for (let i = 0; i < count; i += 1) {
    bytes = random.pick(MUTATIONS)(bytes, random, random.pick(seeds));
  }
  return bytes;
}

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  setByte,
  setByte,
  setNumber,
  setNumber,
  nudgeNumber,
  truncate,
  repeat,
  remove,
  splice,
];

function flipBits(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length === 0) return bytes;
  const count = random.int(1, 3);
  for (let i = 0; i < count; i += 1) {
    bytes[random.int(0, bytes.length - 1)]! ^= 1 << random.int(0, 7);
  }
  return bytes;
}

function setByte(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length === 0) return bytes;
  bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
  return bytes;
}

/** Writes an edge, or a number near the input's length, over what may be a length. */
function setNumber(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const lengths = [bytes.length, bytes.length + 1, Math.max(bytes.length - 1, 0)];
  writeNumber(bytes, random, random.pick([...EDGES, ...HIGH_EDGES, ...lengths]));
  return bytes;
}

function writeNumber(bytes: Uint8Array, random: SeededRandom, value: number): void {
  const size = random.pick([1, 2, 4]);
  if (bytes.length < size) return;
  const at = random.int(0, bytes.length - size);
  const isLittleEndian = random.bool();
  for (let i = 0; i < size; i += 1) {
    bytes[at + (isLittleEndian ? i : size - 1 - i)] = value >>> (8 * i);
  }
}

/** Changes what may be a length by a little. */
function nudgeNumber(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length === 0) return bytes;
  bytes[random.int(0, bytes.length - 1)]! += random.int(-3, 3);
  return bytes;
}

function truncate(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return bytes.slice(0, random.int(0, bytes.length));
}

function repeat(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = stretch(bytes, random);
  return join(bytes.subarray(0, end), bytes.subarray(start, end), bytes.subarray(end));
}

function remove(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const [start, end] = stretch(bytes, random);
  return join(bytes.subarray(0, start), bytes.subarray(end));
}

/** Puts a stretch of another seed over, or between, what is there. */
function splice(bytes: Uint8Array, random: SeededRandom, other: Uint8Array): Uint8Array {
  const [start, end] = stretch(other, random);
  const at = random.int(0, bytes.length);
  const rest = random.bool() ? at : Math.min(at + end - start, bytes.length);
  return join(bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(rest));
}

function stretch(bytes: Uint8Array, random: SeededRandom): readonly [number, number] {
  const start = random.int(0, bytes.length);
  return [start, random.int(start, Math.min(start + STRETCH_MAX, bytes.length))];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
