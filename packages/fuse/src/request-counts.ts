// How many requests of each kind came: counted by the thread that serves, readable by any other.

import { isWaitedFor, OPCODE, OPCODE_END, opcodeName, type OpcodeName } from './wire/opcode.ts';

export class RequestCounts {
  /** Hand this to another thread; `new RequestCounts(memory)` there reads the same counts. */
  readonly memory: SharedArrayBuffer;
  readonly #counts: Uint32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(OPCODE_END * 4)) {
    this.memory = memory;
    this.#counts = new Uint32Array(memory);
  }

  /** Called by the device loop. Opcodes that are newer than this package are not counted. */
  count(opcode: number): void {
    // One thread writes: no atomic addition is needed, and a reader sees each number whole.
    if (opcode < OPCODE_END) this.#counts[opcode]! += 1;
  }

  of(name: OpcodeName): number {
    return this.#counts[OPCODE[name]]!;
  }

  /** Requests that some process stood still for: the round trips that cost it time. */
  get waitedFor(): number {
    return this.#counts.reduce((sum, count, op) => (isWaitedFor(op) ? sum + count : sum), 0);
  }

  /** The counts by name, without those that are 0. */
  snapshot(): Readonly<Record<string, number>> {
    const entries = [...this.#counts].map((count, opcode) => [opcodeName(opcode), count] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }
}
