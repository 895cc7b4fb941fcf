// An engine on a DuckDB in memory, for tests of the HTTP side alone: no catalog, no checks of what
// a statement may do. Every write is a snapshot.

import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';

import { LakeError } from '../src/engine/errors.ts';
import type {
  ExecuteOptions,
  Execution,
  LakeEngine,
  LakeRole,
  PlannedStatement,
  RequestPlan,
  Snapshot,
} from '../src/engine/ports.ts';

const READS = new Set(['SELECT', 'EXPLAIN']);
const STATEMENT_TYPES: Readonly<Record<number, string>> = { 1: 'SELECT', 4: 'EXPLAIN' };

export class PlainEngine implements LakeEngine {
  role: LakeRole = 'writer';
  /** How many executions are open. */
  open = 0;
  /** What was waited for. */
  readonly positions: string[] = [];
  /** How often a plan was made, and a query executed. */
  plans = 0;
  executions = 0;
  /** Of the next plan and the next snapshot. */
  schemaVersion = 1n;
  #snapshot = 1n;
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async create(): Promise<PlainEngine> {
    return new PlainEngine(await DuckDBInstance.create(':memory:'));
  }

  async plan(sql: string): Promise<RequestPlan> {
    this.plans += 1;
    const connection = await this.#instance.connect();
    try {
      const extracted = await connection.extractStatements(sql);
      const statements: PlannedStatement[] = [];
      for (let index = 0; index < extracted.count; index++) {
        statements.push(await planOne(await this.#instance.connect(), extracted, index));
      }
      const isReadOnly = statements.every(({ isRead }) => isRead);
      const isDeterministic = isReadOnly && !/\b(?:now|random)\(/.test(sql);
      const schemaVersion = isReadOnly ? this.schemaVersion : undefined;
      return { sql, statements, isReadOnly, isDeterministic, schemaVersion, tables: [] };
    } catch (error) {
      throw new LakeError('parse', 'LAKE_PARSE', (error as Error).message, { cause: error });
    } finally {
      connection.closeSync();
    }
  }

  async execute(plan: RequestPlan, options: ExecuteOptions): Promise<Execution> {
    this.executions += 1;
    const connection = await this.#instance.connect();
    let interrupting: NodeJS.Timeout | undefined;
    // Again and again: one that comes before the query runs is lost.
    const interrupt = (): void => {
      interrupting = setInterval(() => connection.interrupt(), 20);
    };
    options.signal?.addEventListener('abort', interrupt);
    this.open += 1;
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      this.open -= 1;
      clearInterval(interrupting);
      options.signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
    };
    try {
      const values = options.parameters as DuckDBValue[] | Record<string, DuckDBValue> | undefined;
      if (plan.isReadOnly) await connection.run('BEGIN TRANSACTION');
      const result = await connection.stream(plan.sql, values);
      if (!plan.isReadOnly) this.#snapshot += 1n;
      const columns = result.columnNames().map((name, i) => ({ name, type: result.columnType(i) }));
      return { columns, ...this.#state(), chunks: () => chunksOf(connection, result), close };
    } catch (error) {
      await close();
      throw asLakeError(error);
    }
  }

  async ingest(): Promise<Execution> {
    this.#snapshot += 1n;
    const chunks = async function* (): AsyncGenerator<never> {};
    return { columns: [], ...this.#state(), chunks, close: async () => {} };
  }

  async snapshot(): Promise<Snapshot> {
    return this.#state().snapshot;
  }

  async waitFor(position: string): Promise<void> {
    this.positions.push(position);
  }

  async describeCatalog(): ReturnType<LakeEngine['describeCatalog']> {
    return { snapshot: this.#state().snapshot, schemas: [] };
  }

  async maintain(): ReturnType<LakeEngine['maintain']> {
    return { flushedTables: 0, mergedTables: 0, expiredSnapshots: 0, removedFiles: 0 };
  }

  async close(): Promise<void> {
    this.#instance.closeSync();
  }

  #state(): Pick<Execution, 'snapshot' | 'position'> {
    const snapshot = { id: this.#snapshot, schemaVersion: this.schemaVersion, madeAt: '' };
    return { snapshot, position: `p${this.#snapshot}` };
  }
}

type Extracted = Awaited<ReturnType<DuckDBConnection['extractStatements']>>;

async function planOne(
  connection: DuckDBConnection,
  extracted: Extracted,
  index: number,
): Promise<PlannedStatement> {
  try {
    const prepared = await extracted.prepare(index);
    const kind = STATEMENT_TYPES[prepared.statementType] ?? 'OTHER';
    return { index, kind, sql: '', isRead: READS.has(kind) };
  } finally {
    connection.closeSync();
  }
}

/** A stream that failed ends as a whole one does, but its transaction is aborted. */
async function* chunksOf(
  connection: DuckDBConnection,
  result: Awaited<ReturnType<DuckDBConnection['stream']>>,
): AsyncGenerator<NonNullable<Awaited<ReturnType<typeof result.fetchChunk>>>> {
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    yield chunk;
  }
  try {
    await connection.run('SELECT 1');
  } catch (error) {
    throw asLakeError(error);
  }
}

function asLakeError(error: unknown): LakeError {
  const { message } = error as Error;
  const isCancelled = message.startsWith('INTERRUPT');
  return isCancelled
    ? new LakeError('cancelled', 'LAKE_CANCELLED', message)
    : new LakeError('execution', 'LAKE_EXECUTION', message);
}
