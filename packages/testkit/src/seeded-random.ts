// Chance that can be replayed: a small fast generator (sfc32, Chris Doty-Humphrey's PractRand) that
// starts from a number. Not for secrets.

import assert from 'node:assert/strict';

import type { Random } from '@skein/host';

export class SeededRandom implements Random {
  readonly seed: number;
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), `Seed must be an integer: ${seed}`);
    this.seed = seed;
    this.#state.set([seed, Math.floor(seed / 2 ** 32), 0x9e3779b9, 1]);
    // Neighbouring seeds give unrelated sequences only after some rounds.
    for (let round = 0; round < 15; round += 1) this.uint32();
  }

  uint32(): number {
    const state = this.#state;
    const [a, b, c] = [state[0]!, state[1]!, state[2]!];
    const counter = state[3]!;
    const result = (a + b + counter) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    state[3] = counter + 1;
    return result;
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number {
    assert(min <= max, `Range is empty: ${min} to ${max}`);
    assert(max - min < 2 ** 32, `Range is wider than 32 bits: ${min} to ${max}`);
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  bool(probability = 0.5): boolean {
    return this.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    assert(choices.length > 0, 'Nothing to pick from');
    return choices[this.int(0, choices.length - 1)]!;
  }

  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = this.#uint8();
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#uint8());
  }

  /** A generator of its own, so that one consumer's draws do not shift another's. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }

  #uint8(): number {
    return this.uint32() >>> 24;
  }
}
