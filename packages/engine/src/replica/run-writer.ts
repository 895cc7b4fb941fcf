// Writes pages that come in the order of a file, and lie side by side in it, with few calls.

/** At most this much is written at once. */
const RUN_BYTES = 256 * 1024;

/** Writes the first `length` bytes to a place in the file. */
type Write = (bytes: Uint8Array, length: number, position: number) => void;

export class RunWriter {
  readonly #bytes: Uint8Array;
  readonly #write: Write;
  #position = 0;
  #length = 0;

  /** `totalBytes`: no more is ever to be written. */
  constructor(totalBytes: number, write: Write) {
    this.#bytes = new Uint8Array(Math.min(RUN_BYTES, totalBytes));
    this.#write = write;
  }

  /** Where the bytes of a page are to be put, at once; what came before may be written for that. */
  put(position: number, length: number): Uint8Array {
    const isBehind = position === this.#position + this.#length;
    if (!isBehind || this.#length + length > this.#bytes.length) this.flush();
    if (this.#length === 0) this.#position = position;
    const start = this.#length;
    this.#length += length;
    return this.#bytes.subarray(start, this.#length);
  }

  flush(): void {
    if (this.#length === 0) return;
    this.#write(this.#bytes, this.#length, this.#position);
    this.#length = 0;
  }
}
