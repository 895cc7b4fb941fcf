/**
 * Takes output as it is made: the bytes from `start` to `end`, which are the sink's only during the
 * call. A sink that throws ends the encoding.
 */
export type ByteSink = (bytes: Uint8Array, start: number, end: number) => void;
