// How long a request may take, and whether anybody still waits for it.
//
// DuckDB stops at an interrupt, which it forgets when nothing runs at that moment: so it is sent
// again until the call has ended.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LakeError } from './errors.ts';

const INTERRUPT_AGAIN_MS = 20;

export interface DeadlineOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuter: () => void;

  constructor(options: DeadlineOptions) {
    const { signal, timeoutMs } = options;
    this.#outer = signal;
    this.#onOuter = () => {
      this.#controller.abort(
        new LakeError('cancelled', 'LAKE_CANCELLED', 'The request was cancelled'),
      );
    };
    if (signal?.aborted === true) this.#onOuter();
    signal?.addEventListener('abort', this.#onOuter, { once: true });
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new LakeError('timeout', 'LAKE_TIMEOUT', `The request took longer than ${timeoutMs} ms`),
      );
    }, timeoutMs);
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Throws what ended it. */
  check(): void {
    if (this.signal.aborted) throw this.reason();
  }

  reason(): LakeError {
    const reason: unknown = this.signal.reason;
    if (reason instanceof LakeError) return reason;
    return new LakeError('cancelled', 'LAKE_CANCELLED', 'The request was cancelled');
  }

  /** Runs what the connection does, and interrupts it when time is over. */
  async guard<T>(connection: DuckDBConnection, run: () => Promise<T>): Promise<T> {
    this.check();
    let again: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      connection.interrupt();
      again = setInterval(() => {
        connection.interrupt();
      }, INTERRUPT_AGAIN_MS);
    };
    this.signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await run();
    } catch (error) {
      if (this.signal.aborted) throw this.reason();
      throw error;
    } finally {
      this.signal.removeEventListener('abort', interrupt);
      clearInterval(again);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuter);
  }
}
