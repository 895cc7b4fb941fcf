// All that a worker does: streams, their connections, the pipelines that wait for a lock.
//
// One pipeline runs at a time. One that finds a database locked is put aside and tried again: when
// the server says that it is its turn, and every few milliseconds, since others hold locks too.

import { assert } from '@skein/bytes';

import { HranaError } from '../errors.ts';
import { parsePipeline, type StreamRequest } from '../protocol.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { IdleConnections } from './idle-connections.ts';
import { needsPrimary } from './needs-primary.ts';
import { errorOf, runPipeline, type Steps } from './pipeline.ts';
import { Stream } from './stream.ts';

export interface WorkbenchLimits {
  /** How long a statement waits for a lock. */
  readonly busyMs: number;
  /** Of the answer to one request. */
  readonly rows: number;
  readonly bytes: number;
}

export interface StreamOptions extends ConnectionOptions {
  /** Where the database stands is told after what only reads too. */
  readonly tellsReads: boolean;
}

/** What became of a pipeline. */
export type Result =
  | {
      readonly kind: 'done';
      /** Undefined: nothing was committed. */
      readonly position: string | undefined;
      readonly isOpen: boolean;
      /** It has written, and holds no lock any more: whoever waits may go on. */
      readonly hasReleased: boolean;
      readonly results: string;
    }
  /** Nothing was executed: it is for the primary, after these requests (JSON, in a list). */
  | { readonly kind: 'forward'; readonly before: string }
  /** Nothing was executed. */
  | { readonly kind: 'refused'; readonly error: string };

export type Answer = (result: Result) => void;

interface Parked {
  readonly stream: number;
  readonly steps: Steps<string>;
  readonly answer: Answer;
}

/** As SQLite's own handler does it, without its longest pauses. */
const RETRY_MS = [2, 5, 10, 15, 20, 25];

export class Workbench {
  readonly #limits: WorkbenchLimits;
  readonly #openings = new Map<number, StreamOptions>();
  readonly #streams = new Map<number, Stream>();
  readonly #idle = new IdleConnections();
  #parked: Parked[] = [];
  #retryCount = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: WorkbenchLimits) {
    this.#limits = limits;
  }

  /** The database is opened with the first pipeline. */
  open(stream: number, opening: StreamOptions): void {
    this.#openings.set(stream, opening);
  }

  /** Its transaction, if there is one, is rolled back. */
  close(stream: number): void {
    this.#openings.delete(stream);
    this.#parked = this.#parked.filter((parked) => parked.stream !== stream);
    const { connection } = this.#streams.get(stream) ?? {};
    if (connection === undefined) return;
    this.#streams.delete(stream);
    connection.rollback();
    this.#idle.give(connection);
  }

  /** It is the turn of this stream, if it waits. */
  wake(stream: number): void {
    const index = this.#parked.findIndex((parked) => parked.stream === stream);
    if (index === -1) return;
    this.#retryCount = 0;
    const [work] = this.#parked.splice(index, 1);
    this.#advance(work!);
  }

  /** The server is gone: nothing keeps the process any more. */
  end(): void {
    for (const stream of this.#streams.keys()) this.close(stream);
    this.renew();
    clearTimeout(this.#timer);
  }

  /** What nobody has now is not used again: the node has another role. */
  renew(): void {
    this.#idle.clear();
  }

  /** Answers now, or, when it returns 'parked', later. */
  run(id: number, body: string, answer: Answer): 'answered' | 'parked' {
    const begun = this.#begin(id, body);
    if ('kind' in begun) {
      answer(begun);
      return 'answered';
    }
    return this.#advance({ stream: id, steps: begun.steps, answer }) ? 'answered' : 'parked';
  }

  #begin(id: number, body: string): { readonly steps: Steps<string> } | Result {
    let requests: readonly StreamRequest[];
    let stream: Stream;
    try {
      requests = parsePipeline(body);
      const opened = this.#streamOf(id);
      if (opened === undefined) return { kind: 'forward', before: '[]' };
      stream = opened;
    } catch (error) {
      this.close(id);
      return { kind: 'refused', error: errorOf(error) };
    }
    if (stream.connection.isReadonly && needsPrimary(requests, stream)) {
      const before = storeRequests(stream);
      this.close(id);
      return { kind: 'forward', before };
    }
    const { busyMs, rows, bytes } = this.#limits;
    const deadlineMs = performance.now() + busyMs;
    const mayWait = (): boolean => performance.now() < deadlineMs;
    return { steps: runPipeline(requests, { stream, budget: { rows, bytes }, mayWait }) };
  }

  /** Undefined: the database is not here, and may be at the primary. Throws HranaError. */
  #streamOf(id: number): Stream | undefined {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const opening = this.#openings.get(id);
    assert(opening !== undefined, 'A stream is opened before it is used');
    const connection = this.#connect(opening);
    if (connection === undefined) return undefined;
    const stream = new Stream(connection, opening.tellsReads);
    this.#streams.set(id, stream);
    return stream;
  }

  #connect(options: ConnectionOptions): Connection | undefined {
    try {
      return this.#idle.take(options);
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (code !== 'SQLITE_CANTOPEN') throw error;
      if (options.isReadonly) return undefined;
      throw new HranaError(
        'SQL_DATABASE_NOT_FOUND',
        'There is no such database, or no right to it',
      );
    }
  }

  /** Whether it has come to its end. */
  #advance(work: Parked): boolean {
    const step = work.steps.next();
    if (step.done !== true) {
      this.#parked.push(work);
      this.#timer ??= setTimeout(() => this.#retry(), this.#pauseMs());
      return false;
    }
    const stream = this.#streams.get(work.stream)!;
    const isOpen = !stream.isClosed;
    const hasReleased = stream.hasWritten && (!isOpen || !stream.connection.inTransaction);
    const position = takePosition(stream);
    if (!isOpen) this.close(work.stream);
    work.answer({ kind: 'done', position, isOpen, hasReleased, results: step.value });
    return true;
  }

  #retry(): void {
    this.#timer = undefined;
    this.#retryCount += 1;
    // Each is asked once; those that still wait have put themselves back.
    for (const work of this.#parked.splice(0)) this.#advance(work);
  }

  #pauseMs(): number {
    return RETRY_MS[Math.min(this.#retryCount, RETRY_MS.length - 1)]!;
  }
}

/** What the stream has stored, as requests to a stream that takes its place. */
function storeRequests({ stored }: Stream): string {
  const requests = [...stored].map(([sqlId, sql]) => ({ type: 'store_sql', sql_id: sqlId, sql }));
  return JSON.stringify(requests);
}

/**
 * Where the database stands after what the stream has committed, once. Undefined: it has written
 * nothing that is to be told, or nobody knows.
 */
function takePosition(stream: Stream): string | undefined {
  const { connection } = stream;
  const isTold = stream.hasWritten || stream.tellsReads;
  if (!isTold || connection.inTransaction) return undefined;
  stream.hasWritten = false;
  return connection.position();
}
