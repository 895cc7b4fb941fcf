// Answers of the engine: a read streams from its connection, a write is whole before it commits.

import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBPreparedStatement,
  DuckDBResult,
} from '@duckdb/node-api';

import type { Deadline } from './deadline.ts';
import { LakeError } from './errors.ts';
import type { PinnedConnection } from './pinned-connections.ts';
import type { Execution, ResultColumn, Snapshot } from './ports.ts';
import { translateError, type TranslateOptions } from './translate-error.ts';

export function columnsOf(result: DuckDBResult): ResultColumn[] {
  const types = result.columnTypes();
  return result.columnNames().map((name, index) => ({ name, type: types[index]! }));
}

export interface StreamedOptions {
  readonly pin: PinnedConnection;
  readonly statement: DuckDBPreparedStatement;
  readonly result: DuckDBResult;
  /** Already fetched: an error at the beginning is an error of `execute`. */
  readonly first: DuckDBDataChunk | null;
  readonly deadline: Deadline;
  readonly position: string;
  readonly translate: TranslateOptions;
}

export class StreamedExecution implements Execution {
  readonly columns: readonly ResultColumn[];
  readonly snapshot: Snapshot;
  readonly position: string;
  readonly #options: StreamedOptions;
  #isAtEnd = false;
  #isBroken = false;
  #isClosed = false;

  constructor(options: StreamedOptions) {
    this.#options = options;
    this.columns = columnsOf(options.result);
    this.snapshot = options.pin.snapshot;
    this.position = options.position;
  }

  async *chunks(): AsyncGenerator<DuckDBDataChunk> {
    const { first, result, deadline, pin, translate } = this.#options;
    let chunk = first;
    try {
      while (chunk !== null && chunk.rowCount > 0) {
        yield chunk;
        chunk = await deadline.guard(pin.connection, () => result.fetchChunk());
      }
      this.#isAtEnd = true;
      await assertWhole(pin.connection);
    } catch (error) {
      this.#isBroken = true;
      throw translateError(error, translate);
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    const { statement, deadline, pin } = this.#options;
    deadline[Symbol.dispose]();
    // A query that is not at its end goes on filling its buffer until the connection is gone.
    if (!this.#isAtEnd) pin.connection.interrupt();
    statement.destroySync();
    pin.release(this.#isBroken || !this.#isAtEnd);
    return Promise.resolve();
  }
}

/**
 * The binding ends a stream that failed as it ends a whole one, with an empty chunk, and has no
 * word for the error. But the transaction is aborted then, and refuses whatever comes next.
 */
export async function assertWhole(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run('SELECT 1');
  } catch (cause) {
    throw new SilentFailure(cause);
  }
}

/** A stream that ended before its query did. */
export class SilentFailure extends LakeError {
  constructor(cause: unknown) {
    super('execution', 'LAKE_EXECUTION', 'The query failed after its first rows', { cause });
  }
}

export interface WholeOptions {
  /** Undefined when the last statement gives no rows. */
  readonly result: DuckDBMaterializedResult | undefined;
  readonly rowsChanged: number | undefined;
  readonly snapshot: Snapshot;
  readonly position: string;
}

export class WholeExecution implements Execution {
  readonly columns: readonly ResultColumn[];
  readonly snapshot: Snapshot;
  readonly position: string;
  readonly rowsChanged?: number;
  readonly #result: DuckDBMaterializedResult | undefined;

  constructor(options: WholeOptions) {
    const { result, rowsChanged } = options;
    this.#result = result;
    this.columns = result === undefined ? [] : columnsOf(result);
    this.snapshot = options.snapshot;
    this.position = options.position;
    if (rowsChanged !== undefined) this.rowsChanged = rowsChanged;
  }

  async *chunks(): AsyncGenerator<DuckDBDataChunk> {
    if (this.#result !== undefined) yield* this.#result;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
