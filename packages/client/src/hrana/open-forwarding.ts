// A database for drivers that wait: reads are of this node, writes go to the primary wherever the
// application runs, over SQL over HTTP (docs/sql-over-http.md). On the primary itself both are of
// the file.
//
// Invariant: what was written through it is seen by what it reads later.

import { SkeinError } from '../errors.ts';
import type { NodeView } from '../node-view.ts';
import { openDatabase, type OpenOptions } from '../open-database.ts';
import type { SkeinDatabase, TransactionMode } from '../database/shape.ts';
import {
  formatPositions,
  mergePositions,
  NO_POSITIONS,
  parsePositions,
  type Positions,
} from '../web/positions.ts';
import { isReadHere, runHere } from './local-query.ts';
import { type BatchStatement, runRemoteBatch } from './remote-batch.ts';
import { RemoteTransaction } from './remote-transaction.ts';
import { type HranaServer, sendPipeline, toSqliteError } from './send-pipeline.ts';
import { Turns } from './turns.ts';
import {
  fromHranaResult,
  type QueryResult,
  type SqlArguments,
  toHranaStatement,
} from './values.ts';

export type { BatchStatement } from './remote-batch.ts';
export type { QueryResult, SqlArguments } from './values.ts';

export interface ForwardingOptions extends Omit<OpenOptions, 'onReplica'> {
  /**
   * Where SQL over HTTP is served that takes writes; default: SKEIN_SQL_URL, else the primary's, as
   * the node tells it.
   */
  readonly url?: string;
  /** What it asks for; default: SKEIN_SQL_TOKEN. */
  readonly token?: string;
  /** How long an answer of the primary is waited for; default 60,000. */
  readonly timeoutMs?: number;
  /** How long a read waits for what was written before; then the primary is asked. 1,000. */
  readonly waitMs?: number;
}

/** Within a transaction. */
export interface ForwardingTransaction {
  execute(sql: string, args?: SqlArguments): Promise<QueryResult>;
}

/**
 * Errors are those of openDatabase(): NoPrimaryError where nobody takes writes, OutcomeUnknownError
 * where an answer was lost after a commit was asked for, SkeinError NODE_UNREACHABLE where nothing
 * was executed, SqliteError for what SQLite says.
 */
export interface ForwardingDatabase {
  execute(sql: string, args?: SqlArguments): Promise<QueryResult>;
  /** All of them in one transaction, or nothing. */
  batch(statements: readonly BatchStatement[]): Promise<readonly QueryResult[]>;
  /** Commits when `work` has ended, rolls back when it throws. */
  transaction<T>(
    work: (transaction: ForwardingTransaction) => Promise<T>,
    mode?: TransactionMode,
  ): Promise<T>;
  close(): void;
}

const TIMEOUT_MS = 60_000;
const WAIT_MS = 1_000;

export function openForwarding(
  node: NodeView,
  options: ForwardingOptions = {},
): ForwardingDatabase {
  return new NodeForwarding(node, options);
}

class NodeForwarding implements ForwardingDatabase {
  readonly #node: NodeView;
  readonly #options: ForwardingOptions;
  readonly #local: SkeinDatabase;
  readonly #turns = new Turns();
  readonly #name: string;
  #seen: Positions = NO_POSITIONS;

  constructor(node: NodeView, options: ForwardingOptions) {
    this.#node = node;
    this.#options = options;
    this.#local = openDatabase(node, options);
    this.#name = this.#local.name.slice(this.#local.name.lastIndexOf('/') + 1);
  }

  async execute(sql: string, args: SqlArguments = []): Promise<QueryResult> {
    if (this.#node.isPrimary) return this.#turns.take(() => runHere(this.#local, sql, args));
    if (isReadHere(this.#local, sql) && (await this.#hasSeen())) {
      return runHere(this.#local, sql, args);
    }
    const stmt = toHranaStatement(sql, args);
    const { results, position } = await sendPipeline(this.#server, {
      requests: [{ type: 'execute', stmt }, { type: 'close' }],
      position: formatPositions(this.#seen),
    });
    this.#note(position);
    const [result] = results;
    if (result?.type === 'ok') return fromHranaResult(result.response.result!);
    throw toSqliteError(result?.error ?? { message: 'There is no result' });
  }

  async batch(statements: readonly BatchStatement[]): Promise<readonly QueryResult[]> {
    if (!this.#node.isPrimary) {
      const mode = this.#options.transactionMode ?? 'IMMEDIATE';
      const { results, position } = await runRemoteBatch(this.#server, statements, mode);
      this.#note(position);
      return results;
    }
    return this.transaction(async (transaction) => {
      const results: QueryResult[] = [];
      for (const { sql, args = [] } of statements) {
        results.push(await transaction.execute(sql, args));
      }
      return results;
    });
  }

  transaction<T>(
    work: (transaction: ForwardingTransaction) => Promise<T>,
    mode: TransactionMode = this.#options.transactionMode ?? 'IMMEDIATE',
  ): Promise<T> {
    if (!this.#node.isPrimary) return this.#transactionAtPrimary(work, mode);
    return this.#turns.take(() => this.#transactionHere(work, mode));
  }

  close(): void {
    this.#local.close();
  }

  async #transactionHere<T>(
    work: (transaction: ForwardingTransaction) => Promise<T>,
    mode: TransactionMode,
  ): Promise<T> {
    const local = this.#local;
    local.prepare(`BEGIN ${mode}`).run();
    try {
      const execute = (sql: string, args: SqlArguments = []): Promise<QueryResult> =>
        Promise.resolve().then(() => runHere(local, sql, args));
      const result = await work({ execute });
      local.prepare('COMMIT').run();
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (local.inTransaction) local.prepare('ROLLBACK').run();
      throw error;
    }
  }

  async #transactionAtPrimary<T>(
    work: (transaction: ForwardingTransaction) => Promise<T>,
    mode: TransactionMode,
  ): Promise<T> {
    const transaction = new RemoteTransaction(this.#server);
    let result: T;
    try {
      await transaction.begin(mode);
      result = await work(transaction);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    this.#note(await transaction.commit());
    return result;
  }

  get #server(): HranaServer {
    const { token = process.env['SKEIN_SQL_TOKEN'], timeoutMs = TIMEOUT_MS } = this.#options;
    const told = this.#options.url ?? process.env['SKEIN_SQL_URL'];
    const url = told ?? this.#node.state.primary?.sqlUrl;
    if (url === undefined) {
      throw new SkeinError('NO_PRIMARY', 'Nobody is known who takes writes over HTTP', {
        hint: 'The primary needs sql.address in its skein.yml; or say the url',
      });
    }
    return { url, token, database: this.#name, timeoutMs };
  }

  #note(position: string | undefined): void {
    if (position !== undefined) this.#seen = mergePositions(this.#seen, parsePositions(position));
  }

  /** Whether this node shows what was written through this database, maybe after a while. */
  async #hasSeen(): Promise<boolean> {
    const wanted = this.#seen.byDatabase.get(this.#name);
    if (wanted === undefined) return !this.#seen.isPartial;
    const { waitMs: timeoutMs = WAIT_MS } = this.#options;
    try {
      await this.#node.waitForPosition(this.#name, wanted, { timeoutMs });
      return true;
    } catch {
      return false;
    }
  }
}
