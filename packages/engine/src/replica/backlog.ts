// Transactions of one database that are in the log and not applied yet, in order.
//
// Their bytes are kept as long as all databases together have little; what is more is read from the
// log again. Then one costs 8 bytes: applying may wait for hours while a reader holds it up.

import { type ByteSource, bytesSource } from '@skein/bytes';

/** Bytes of transactions that wait, of all databases together. */
export class BacklogMemory {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether so many bytes may be kept; give() is to follow then. */
  tryTake(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export interface Waiting {
  readonly lsn: number;
  /** Undefined: it has to be read from the log. */
  readonly source: ByteSource | undefined;
  /** Size of the LTX file where that is in memory. */
  readonly sizeBytes: number;
  /** It has every page: nothing that comes before it counts. */
  readonly isWhole: boolean;
}

const CAPACITY_MIN = 64;

export class Backlog {
  readonly #memory: BacklogMemory;
  readonly #kept = new Map<number, Uint8Array>();
  /** The last whole database among them; 0 if there is none. */
  #wholeLsn = 0;
  #lsns = new Float64Array(CAPACITY_MIN);
  #first = 0;
  #end = 0;

  constructor(memory: BacklogMemory) {
    this.#memory = memory;
  }

  get count(): number {
    return this.#end - this.#first;
  }

  /** The next to be applied; stays until it is dropped. */
  get next(): Waiting | undefined {
    return this.count === 0 ? undefined : this.at(0);
  }

  /** The n-th from the next one on. */
  at(n: number): Waiting {
    const lsn = this.#lsns[this.#first + n]!;
    const bytes = this.#kept.get(lsn);
    const source = bytes && bytesSource(bytes);
    return { lsn, source, sizeBytes: bytes?.length ?? 0, isWhole: lsn === this.#wholeLsn };
  }

  push(lsn: number, bytes: Uint8Array | undefined): void {
    if (this.#end === this.#lsns.length) this.#makeRoom();
    this.#lsns[this.#end++] = lsn;
    if (bytes !== undefined && this.#memory.tryTake(bytes.length)) this.#kept.set(lsn, bytes);
  }

  /** As push(), of a transaction that has every page: forgets what it makes needless. */
  pushWhole(lsn: number, bytes: Uint8Array | undefined): void {
    this.clear();
    this.push(lsn, bytes);
    this.#wholeLsn = lsn;
  }

  /** Forgets what is in records up to this one. */
  dropThrough(lsn: number): void {
    while (this.count > 0 && this.#lsns[this.#first]! <= lsn) {
      const dropped = this.#lsns[this.#first++]!;
      this.#memory.give(this.#kept.get(dropped)?.length ?? 0);
      this.#kept.delete(dropped);
    }
  }

  clear(): void {
    this.dropThrough(Infinity);
  }

  #makeRoom(): void {
    const { count } = this;
    const isHalfEmpty = count * 2 <= this.#lsns.length;
    const lsns = isHalfEmpty ? this.#lsns : new Float64Array(this.#lsns.length * 2);
    lsns.set(this.#lsns.subarray(this.#first, this.#end));
    this.#lsns = lsns;
    this.#first = 0;
    this.#end = count;
  }
}
