// Writes down what clients do, while they do it. A write that got no answer is unknown; one whose
// client was never heard of again as well.

import type { CommitPosition, Glimpse, Operation, WriteOutcome } from './history.ts';

export interface WriteResult {
  readonly outcome: WriteOutcome;
  readonly position?: CommitPosition | undefined;
}

export interface ReadPlace {
  readonly client: string;
  readonly node: string;
  readonly isPrimary: boolean;
  readonly session?: string | undefined;
  readonly transaction?: string | undefined;
}

export class HistoryRecorder {
  readonly #operations: Operation[] = [];
  readonly #nowMs: () => number;
  #lastValue = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /**
   * Runs `write` with a value that no other has. An error of `write` means that the outcome is not
   * known, and is thrown on.
   */
  async write(
    who: { readonly client: string; readonly session?: string | undefined },
    write: (value: number) => Promise<WriteResult>,
  ): Promise<WriteResult> {
    this.#lastValue += 1;
    const value = this.#lastValue;
    const startMs = this.#nowMs();
    let result: WriteResult = { outcome: 'unknown' };
    try {
      result = await write(value);
      return result;
    } finally {
      this.#operations.push({
        kind: 'write',
        ...who,
        value,
        ...result,
        startMs,
        endMs: this.#nowMs(),
      });
    }
  }

  /** A read that fails saw nothing, and is not written down. */
  async read(place: ReadPlace, read: () => Promise<Glimpse>): Promise<Glimpse> {
    const startMs = this.#nowMs();
    const seen = await read();
    this.addRead(place, seen, startMs);
    return seen;
  }

  /** A read that has just ended, where only the answer told who has given it. */
  addRead(place: ReadPlace, seen: Glimpse, startMs: number): void {
    this.#operations.push({ kind: 'read', ...place, seen, startMs, endMs: this.#nowMs() });
  }
}
