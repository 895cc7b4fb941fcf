// Results of queries, whole and as they are sent, for as long as the lake stays as it was.
//
// A key says the query, its parameters and the format; an entry is good for one state of the lake
// alone, so there is nothing to invalidate: what is asked in another state is made anew. The cache
// is bounded by bytes; what was used longest ago goes first.

import type { Encoding } from './negotiate.ts';

export interface CachedResult {
  /** The state of the lake that it was made from. */
  readonly state: string;
  readonly contentType: string;
  readonly position: string;
  readonly body: Buffer;
  /** Compressed ones, made when they were asked for. */
  readonly encoded: Map<Encoding, Buffer>;
}

/** For the headers and the entry itself. */
const ENTRY_OVERHEAD_BYTES = 1024;
/** What compressed copies may add, as parts of the body. */
const ENCODED_SHARE = 1;

export class ResultCache {
  /** The largest result that is kept: what is larger takes long to send anyway. */
  readonly entryBytesMax: number;
  readonly #bytesMax: number;
  /** In the order of use. */
  readonly #entries = new Map<string, CachedResult>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.entryBytesMax = Math.min(1024 * 1024, Math.floor(bytesMax / 8));
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string, state: string): CachedResult | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.state !== state) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  add(key: string, entry: CachedResult): void {
    if (entry.body.length > this.entryBytesMax) return;
    this.#remove(key);
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, entry);
  }
}

/** Room for the compressed copies is counted from the start. */
function sizeOf(key: string, { body, contentType }: CachedResult): number {
  const encoded = Math.ceil(body.length * ENCODED_SHARE);
  return body.length + encoded + contentType.length + key.length * 2 + ENTRY_OVERHEAD_BYTES;
}
