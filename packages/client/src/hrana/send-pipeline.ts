// Sends requests of Hrana 2 to a server of SQL, and tells what became of them.
//
// Invariant: they are sent once, over a connection of their own. What fails before there is one was
// not executed; what fails later may have been.

import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';

import { NoPrimaryError, OutcomeUnknownError, SkeinError } from '../errors.ts';
import { SqliteError } from '../drivers/driver.ts';
import type { HranaResult, HranaStatement } from './values.ts';

export interface HranaServer {
  readonly url: string;
  readonly token: string | undefined;
  readonly database: string;
  readonly timeoutMs: number;
}

interface Condition {
  readonly type: 'ok' | 'not';
  readonly step?: number;
  readonly cond?: Condition;
}

export interface HranaBatchStep {
  readonly stmt: HranaStatement;
  readonly condition?: Condition;
}

export type HranaRequest =
  | { readonly type: 'execute'; readonly stmt: HranaStatement }
  | { readonly type: 'batch'; readonly batch: { readonly steps: readonly HranaBatchStep[] } }
  | { readonly type: 'close' };

interface HranaError {
  readonly message: string;
  readonly code?: string;
  readonly extended_code?: string;
}

interface HranaBatchResult {
  readonly step_results: readonly (HranaResult | null)[];
  readonly step_errors: readonly (HranaError | null)[];
}

type Response =
  | {
      readonly type: 'ok';
      readonly response: {
        readonly type: string;
        readonly result?: HranaResult & HranaBatchResult;
      };
    }
  | { readonly type: 'error'; readonly error: HranaError };

export interface PipelineResult {
  readonly baton: string | null;
  readonly results: readonly Response[];
  /** Where the databases stand that were written. */
  readonly position: string | undefined;
}

interface Pipeline {
  readonly requests: readonly HranaRequest[];
  readonly baton?: string | undefined;
  /** What the caller has seen. */
  readonly position?: string | undefined;
}

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Throws SkeinError: what was not executed, or may have been. */
export async function sendPipeline(
  server: HranaServer,
  { requests, baton, position }: Pipeline,
): Promise<PipelineResult> {
  const body = JSON.stringify(baton === undefined ? { requests } : { baton, requests });
  const posted = await post(server, body, position);
  if (posted.status !== 200) throw refusalOf(posted);
  const seen = posted.headers['skein-position'];
  const { baton: next, results } = readResults(posted.text);
  return { baton: next, results, position: typeof seen === 'string' ? seen : undefined };
}

function readResults(text: string): Omit<PipelineResult, 'position'> {
  try {
    return JSON.parse(text) as Omit<PipelineResult, 'position'>;
  } catch (cause) {
    throw new OutcomeUnknownError(cause);
  }
}

/** What failed, as the drivers of SQLite throw it; or that the answer to a commit was lost. */
export function toSqliteError(error: HranaError): Error {
  const { message, code, extended_code: extended } = error;
  if (code === 'OUTCOME_UNKNOWN') return new OutcomeUnknownError(error);
  return new SqliteError(message, extended ?? code ?? 'SQLITE_ERROR', undefined);
}

interface Posted {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

function post(
  { url, token, database, timeoutMs }: HranaServer,
  body: string,
  position: string | undefined,
): Promise<Posted> {
  const target = new URL(`/db/${encodeURIComponent(database)}/v2/pipeline`, url);
  const isSecure = target.protocol === 'https:';
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(position === undefined ? {} : { 'Skein-Position': position }),
    },
  };
  return new Promise((resolve, reject) => {
    let isSent = false;
    const fail = (cause: Error): void => {
      clearTimeout(timer);
      request.destroy();
      reject(isSent ? new OutcomeUnknownError(cause) : unreachable(target, cause));
    };
    const request = (isSecure ? httpsRequest : httpRequest)(target, options, (response) => {
      void readAnswer(response).then((posted) => {
        clearTimeout(timer);
        return resolve(posted);
      }, fail);
    });
    const timer = setTimeout(() => fail(new Error('It does not answer in time')), timeoutMs);
    request.on('error', fail);
    request.on('socket', (socket) => {
      socket.setNoDelay(true);
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        isSent = true;
        request.end(body);
      });
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<Posted> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > ANSWER_BYTES_MAX) throw new Error('The answer is too large');
    chunks.push(chunk as Buffer);
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, text: Buffer.concat(chunks).toString(), headers };
}

function unreachable({ host }: URL, cause: Error): SkeinError {
  return new SkeinError('NODE_UNREACHABLE', `The SQL server at ${host} cannot be reached`, {
    cause,
  });
}

/** Codes of the server that say why there is nobody to write to. */
const NO_PRIMARY_CODES: ReadonlySet<unknown> = new Set(['NO_PRIMARY', 'NOT_PRIMARY']);

function refusalOf({ status, text, headers }: Posted): Error {
  const error = maybeError(text);
  const isNotExecuted = status === 503 && headers['skein-outcome'] === 'not-executed';
  // Something before the server may have given up waiting for it.
  if (status >= 500 && !isNotExecuted) return new OutcomeUnknownError(error);
  if (NO_PRIMARY_CODES.has(error.code)) return new NoPrimaryError(error);
  if (status === 503) {
    return new SkeinError('NODE_UNREACHABLE', `The SQL server cannot answer: ${error.message}`);
  }
  return toSqliteError(error);
}

function maybeError(text: string): HranaError {
  try {
    return JSON.parse(text) as HranaError;
  } catch {
    return { message: 'The answer is not of an SQL server' };
  }
}
