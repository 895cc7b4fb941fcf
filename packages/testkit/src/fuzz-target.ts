/**
 * A decoder of bytes that others wrote, as the fuzzer (tools/fuzz.ts) takes it. Packages below the
 * testkit declare the same shape: each lists its decoders as `fuzzTargets` in
 * src/fuzz-targets.ts.
 */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs that decode, for the fuzzer to change. Small ones: each vector is a whole input. */
  readonly seeds: () => Uint8Array[];
  /** Returns the same for the same bytes, or throws. Keeps neither the bytes nor any state. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Whether an error is the one that malformed input must give. */
  readonly isFormatError: (error: unknown) => boolean;
}
