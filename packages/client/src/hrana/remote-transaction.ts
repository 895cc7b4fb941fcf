// A transaction at the primary: a stream of Hrana from its BEGIN to its end.
//
// Invariant: what was begun is committed by commit(), unless its caller executes a COMMIT. A
// transaction whose connection is lost before either is rolled back by the server, which ends
// streams that nobody goes on with.

import { SkeinError } from '../errors.ts';
import {
  type HranaRequest,
  type HranaServer,
  type PipelineResult,
  sendPipeline,
  toSqliteError,
} from './send-pipeline.ts';
import {
  fromHranaResult,
  type QueryResult,
  type SqlArguments,
  toHranaStatement,
} from './values.ts';

export class RemoteTransaction {
  readonly #server: HranaServer;
  #baton: string | undefined;
  #isOver = false;
  /** Its caller may have ended it: what follows is committed by itself. */
  #mayBeEnded = false;

  constructor(server: HranaServer) {
    this.#server = server;
  }

  /** `mode`: IMMEDIATE, DEFERRED, EXCLUSIVE. */
  async begin(mode: string): Promise<void> {
    await this.#run(`BEGIN ${mode}`, []);
  }

  execute(sql: string, args: SqlArguments = []): Promise<QueryResult> {
    return this.#run(sql, args);
  }

  /** Returns where the database stands then. */
  async commit(): Promise<string | undefined> {
    const { results, position } = await this.#send([statement('COMMIT', []), CLOSE]);
    this.#isOver = true;
    const [committed] = results;
    if (committed?.type === 'error') throw toSqliteError(committed.error);
    return position;
  }

  /** Whatever has happened: nothing of it stays. */
  async rollback(): Promise<void> {
    if (this.#isOver || this.#baton === undefined) return;
    this.#isOver = true;
    // Where it cannot be told to, the server does it by itself.
    await sendPipeline(this.#server, { baton: this.#baton, requests: [CLOSE] }).catch(() => {});
  }

  async #run(sql: string, args: SqlArguments): Promise<QueryResult> {
    let sent: PipelineResult;
    this.#mayBeEnded ||= ENDING.test(sql);
    try {
      sent = await this.#send([statement(sql, args)]);
    } catch (cause) {
      this.#isOver = true;
      const message = 'The transaction is lost with its connection, and was rolled back';
      const isLost = cause instanceof SkeinError && cause.outcome === 'unknown';
      throw isLost && !this.#mayBeEnded
        ? new SkeinError('NODE_UNREACHABLE', message, { cause })
        : cause;
    }
    const [result] = sent.results;
    if (result?.type === 'ok') return fromHranaResult(result.response.result!);
    throw toSqliteError(result?.error ?? { message: 'There is no result' });
  }

  async #send(requests: readonly HranaRequest[]): Promise<PipelineResult> {
    if (this.#isOver) throw new SkeinError('DATABASE_MISUSE', 'The transaction is over');
    const result = await sendPipeline(this.#server, { baton: this.#baton, requests });
    this.#baton = result.baton ?? undefined;
    return result;
  }
}

/** Also where it stands in a literal, or ends a CASE: too careful is right. */
const ENDING = /\b(?:commit|end|rollback)\b/i;

const CLOSE: HranaRequest = { type: 'close' };

function statement(sql: string, args: SqlArguments): HranaRequest {
  return { type: 'execute', stmt: toHranaStatement(sql, args) };
}
