// Judges what a decoder does with one input: it decodes, or throws its format error; within a
// second; without a look at what lies around the input in memory; and without changing anything.

import { isDeepStrictEqual } from 'node:util';

import type { FuzzTarget } from '@skein/testkit';

export type Verdict =
  | { readonly kind: 'decoded' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'failed'; readonly reason: string };

/** A decoder that needs longer hangs, as far as anybody can tell who waits for it. */
const DECODE_MS_MAX = 1000;

/** Bytes around the input, before and behind, that are not its. */
const GUARD_BYTES = 64;

type Outcome =
  | { readonly kind: 'decoded'; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly error: unknown };

/** Thrown for what is wrong with a run, in the words for the report. */
class Misbehaviour extends Error {}

export function judge(
  target: FuzzTarget,
  input: Uint8Array,
  decodeMsMax: number = DECODE_MS_MAX,
): Verdict {
  try {
    // What stands around the input differs, so the outcomes do if a decoder reads it.
    const first = run(target, input, 0x00, decodeMsMax);
    const second = run(target, input, 0xff, decodeMsMax);
    if (!isEqual(first, second)) throw new Misbehaviour('reads outside of the input');
    return { kind: first.kind };
  } catch (error) {
    if (!(error instanceof Misbehaviour)) throw error;
    return { kind: 'failed', reason: error.message };
  }
}

function run(target: FuzzTarget, input: Uint8Array, guard: number, decodeMsMax: number): Outcome {
  const around = new Uint8Array(input.length + 2 * GUARD_BYTES).fill(guard);
  around.set(input, GUARD_BYTES);
  const bytes = around.subarray(GUARD_BYTES, GUARD_BYTES + input.length);
  const start = performance.now();
  const outcome = attempt(target, bytes);
  const elapsedMs = performance.now() - start;
  if (elapsedMs > decodeMsMax) throw new Misbehaviour(`takes ${Math.round(elapsedMs)} ms`);
  if (!isUntouched(around, input, guard)) throw new Misbehaviour('changes the input or its guards');
  return outcome;
}

function attempt(target: FuzzTarget, bytes: Uint8Array): Outcome {
  try {
    return { kind: 'decoded', value: target.decode(bytes) };
  } catch (error) {
    if (target.isFormatError(error)) return { kind: 'rejected', error };
    throw new Misbehaviour(`throws ${error instanceof Error ? error.stack : String(error)}`);
  }
}

function isUntouched(around: Uint8Array, input: Uint8Array, guard: number): boolean {
  for (let at = 0; at < around.length; at += 1) {
    const inside = at - GUARD_BYTES;
    const expected = inside >= 0 && inside < input.length ? input[inside] : guard;
    if (around[at] !== expected) return false;
  }
  return true;
}

function isEqual(first: Outcome, second: Outcome): boolean {
  if (first.kind === 'decoded' && second.kind === 'decoded') {
    return isDeepStrictEqual(first.value, second.value);
  }
  if (first.kind !== 'rejected' || second.kind !== 'rejected') return false;
  return String(first.error) === String(second.error);
}
