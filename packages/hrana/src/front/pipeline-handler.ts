// Where a pipeline is executed, and what its client is told.
//
//   on the primary        here
//   on a replica          here, if it only reads and this node has what its client has seen;
//                         else at the primary, and with it the stream that it belongs to
//   without a primary     reads as on a replica; writes wait for a primary, then are refused
//
// Invariant: a pipeline is executed once or not at all, or its client is told that this is unknown.

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { assert } from '@skein/bytes';
import {
  carriedPositions,
  formatPositions,
  isReached,
  mergePositions,
  onePosition,
  parsePositions,
  type Positions,
} from '@skein/client';

import { mayBeMade } from '../database-names.ts';
import { HranaError, type HranaErrorCode } from '../errors.ts';
import {
  DONE,
  FORWARD,
  MAY_CREATE,
  POSITION_LENGTH,
  READ_ONLY,
  STREAM_OPEN,
  TELL_READS,
  WITH_POSITION,
} from '../frames.ts';
import type { DatabasePosition } from '../node-view.ts';
import type { ResolvedSqlOptions } from '../options.ts';
import { parseBaton } from '../protocol.ts';
import { type Answer, errorAnswer, pipelineAnswer, refusal } from './answers.ts';
import { NOTHING } from './forwarded-text.ts';
import { HOP_HEADER } from './forwarder.ts';
import { onlyReads } from './only-reads.ts';
import { PrimaryRoute } from './primary-route.ts';
import { type HeldStream, StreamTable } from './stream-table.ts';
import type { Visit } from './visit.ts';
import { type WorkAnswer, WorkerPool } from './worker-pool.ts';

/** Of a pipeline that came to a worker: its answer, or that it is for the primary. */
type LocalResult = Answer | { readonly before: string };

export class PipelineHandler {
  readonly #options: ResolvedSqlOptions;
  readonly #pool: WorkerPool;
  readonly #streams: StreamTable;
  readonly #primary: PrimaryRoute;
  /** What clients of this node have seen at the primary: reads here are to have it. */
  readonly #written = new Map<string, DatabasePosition>();
  readonly #stopWatching: () => void;

  constructor(options: ResolvedSqlOptions) {
    const { limits, view, folder, log } = options;
    const { busyMs, rows, responseBytes: bytes } = limits;
    this.#options = options;
    this.#pool = new WorkerPool({
      settings: { folder, busyMs, rows, bytes },
      sizeMax: limits.workers,
      waitersMax: limits.waiters,
      statementMs: limits.statementMs,
      log,
    });
    this.#streams = new StreamTable({
      sizeMax: limits.streams,
      idleMs: limits.streamIdleMs,
      onExpired: (stream) => this.#drop(stream),
      randomBytes,
    });
    this.#primary = new PrimaryRoute(options);
    let { role } = view;
    this.#stopWatching = view.onChange(() => {
      if (view.role === role) return;
      ({ role } = view);
      this.#pool.renew();
    });
  }

  get workerPids(): readonly number[] {
    return this.#pool.pids;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Never rejects with HranaError: that is an answer too. */
  async handle(visit: Visit): Promise<Answer> {
    try {
      const { body, database } = visit;
      // Most have none, and only a worker reads what is in them.
      const baton = body.includes('"baton"') ? parseBaton(body.toString()) : undefined;
      if (baton === undefined) return await this.#begin(visit);
      const stream = this.#streams.take(baton, database);
      if (stream.place.kind === 'local') return await this.#continueHere(visit, stream);
      return await this.#continueAtPrimary(visit, stream, NOTHING);
    } catch (error) {
      if (error instanceof HranaError) return errorAnswer(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stopWatching();
    for (const stream of this.#streams.resting()) {
      this.#streams.end(stream);
      this.#drop(stream);
    }
    await this.#pool.end();
  }

  async #begin(visit: Visit): Promise<Answer> {
    this.#streams.checkRoom();
    const { view, limits } = this.#options;
    const { database, headers } = visit;
    if (view.role !== 'primary' && headers[HOP_HEADER] !== undefined) throw notPrimary();
    const carried = carriedOf(headers);
    const isReadable = (): boolean => view.role === 'primary' || this.#hasSeen(database, carried);
    const stream: HeldStream = { id: this.#streams.nextId(), database, place: { kind: 'local' } };
    // Nothing that comes here says that what had no room is reached.
    const waitMs = carried.isPartial ? 0 : limits.waitMs;
    let before = NOTHING;
    if (await view.until(isReadable, waitMs)) {
      const result = await this.#runHere(visit, stream, true);
      if (!('before' in result)) return result;
      ({ before } = result);
    } else if (view.role !== 'replica') {
      throw new HranaError('SQL_BEHIND', 'This node is behind what you have seen');
    }
    return this.#beginAtPrimary(visit, before);
  }

  /** As soon as there is a primary, which may be this node. */
  async #beginAtPrimary(visit: Visit, before: string): Promise<Answer> {
    const { database, headers } = visit;
    if (headers[HOP_HEADER] !== undefined) throw notPrimary();
    const stream: HeldStream = { id: this.#streams.nextId(), database, place: { kind: 'local' } };
    const result = await this.#primary.begin(visit, before);
    if (result === 'here') {
      if (before !== NOTHING) throw new HranaError('STREAM_EXPIRED', 'The node has become primary');
      const local = await this.#runHere(visit, stream, true);
      if ('before' in local) throw new HranaError('NO_PRIMARY', 'The primary changes too often');
      return local;
    }
    return this.#answerFromPrimary(visit, stream, result);
  }

  async #continueHere(visit: Visit, stream: HeldStream): Promise<Answer> {
    const result = await this.#runHere(visit, stream, false);
    if (!('before' in result)) return result;
    return this.#beginAtPrimary(visit, result.before);
  }

  async #continueAtPrimary(visit: Visit, stream: HeldStream, before: string): Promise<Answer> {
    const { place } = stream;
    assert(place.kind === 'primary', 'The stream is at the primary');
    const result = await this.#primary.send(visit, { ...place, before });
    return this.#answerFromPrimary(visit, stream, result);
  }

  #answerFromPrimary(
    visit: Visit,
    stream: HeldStream,
    result: Awaited<ReturnType<PrimaryRoute['send']>>,
  ): Answer {
    const isHeld = stream.place.kind === 'primary';
    if (result.kind === 'refused') {
      if (isHeld) this.#streams.end(stream);
      return result.answer;
    }
    const { position, url, baton, results } = result;
    if (position !== undefined) this.#noteWritten(stream.database, position);
    const headers = position === undefined ? [] : ['Skein-Position', position];
    if (baton === undefined) {
      if (isHeld) this.#streams.end(stream);
      return pipelineAnswer(undefined, results, headers);
    }
    stream.place = { kind: 'primary', url, baton };
    return pipelineAnswer(this.#keep(visit, stream, isHeld), results, headers);
  }

  /** `isNew`: its connection is opened, as the role of the node has it. */
  async #runHere(visit: Visit, stream: HeldStream, isNew: boolean): Promise<LocalResult> {
    const { database, body } = visit;
    const flags = this.#openingFlags(visit);
    const opening = isNew ? { database, flags } : undefined;
    const answer = await this.#pool.run({ stream: stream.id, body, opening });
    const isRead = isNew && flags === READ_ONLY;
    if (answer.kind !== 'answer') {
      if (!isNew) this.#abandon(stream);
      return errorAnswer(lossOf(answer, isRead || onlyReads(body)));
    }
    const { head } = answer;
    if (head.kind === DONE) return this.#done(visit, stream, { ...answer, isNew });
    this.#pool.forget(stream.id);
    if (!isNew) this.#streams.end(stream);
    const text = answer.body.toString();
    if (head.kind === FORWARD) return { before: text };
    const { code } = JSON.parse(text) as { readonly code: HranaErrorCode };
    return refusal(code === 'SQL_DATABASE_NOT_FOUND' ? 404 : 400, text);
  }

  #openingFlags({ database, headers }: Visit): number {
    if (this.#options.view.role !== 'primary') return READ_ONLY;
    const create = mayBeMade(database, this.#options) ? MAY_CREATE : 0;
    // What was read here is not to be missing later where the client has asked.
    return create | (headers[HOP_HEADER] === undefined ? 0 : TELL_READS);
  }

  #done(
    visit: Visit,
    stream: HeldStream,
    { head, body, isNew }: Extract<WorkAnswer, { kind: 'answer' }> & { readonly isNew: boolean },
  ): Answer {
    const hasPosition = (head.flags & WITH_POSITION) !== 0;
    const headers = hasPosition ? this.#writtenHeaders(visit, body) : this.#rightHeaders(visit);
    const results = hasPosition ? body.subarray(POSITION_LENGTH) : body;
    if ((head.flags & STREAM_OPEN) === 0) {
      this.#pool.forget(stream.id);
      if (!isNew) this.#streams.end(stream);
      return pipelineAnswer(undefined, results, headers);
    }
    return pipelineAnswer(this.#keep(visit, stream, !isNew), results, headers);
  }

  /** The baton of a stream that goes on; undefined when nobody is there to take it. */
  #keep(visit: Visit, stream: HeldStream, isHeld: boolean): string | undefined {
    if (!visit.isGone()) return isHeld ? this.#streams.rest(stream) : this.#streams.keep(stream);
    if (isHeld) this.#streams.end(stream);
    this.#drop(stream);
    return undefined;
  }

  /** Its baton is used up, and there is no other one. */
  #abandon(stream: HeldStream): void {
    this.#streams.end(stream);
    this.#drop(stream);
  }

  /** Nobody goes on with it: what it has begun is rolled back. */
  #drop({ id, place, database }: HeldStream): void {
    if (place.kind === 'local') this.#pool.close(id);
    else this.#primary.close({ ...place, database });
  }

  #writtenHeaders({ headers, database }: Visit, body: Buffer): string[] {
    const txid = BigInt(`0x${body.toString('latin1', 0, POSITION_LENGTH)}`);
    const written = onePosition(database, { epoch: this.#options.view.epoch, txid });
    return ['Skein-Position', formatPositions(mergePositions(carriedOf(headers), written))];
  }

  /** The primary puts right what a client carries of an epoch that is over: nobody gets there. */
  #rightHeaders({ headers, database }: Visit): string[] {
    const { view } = this.#options;
    const hasNone = headers['skein-position'] === undefined && headers.cookie === undefined;
    if (hasNone || view.role !== 'primary') return [];
    const carried = carriedOf(headers);
    const wanted = carried.byDatabase.get(database);
    const actual = view.position(database);
    if (wanted === undefined || actual === undefined || actual.epoch <= wanted.epoch) return [];
    const right = mergePositions(carried, onePosition(database, actual));
    return ['Skein-Position', formatPositions(right)];
  }

  #hasSeen(database: string, carried: Positions): boolean {
    if (carried.isPartial) return false;
    const actual = this.#options.view.position(database);
    const wanted = carried.byDatabase.get(database);
    if (wanted !== undefined && !isReached(wanted, actual)) return false;
    const written = this.#written.get(database);
    // What this node has of a later epoch is all that is left of the one before.
    if (written === undefined || (actual?.epoch ?? 0) > written.epoch) return true;
    return isReached(written, actual);
  }

  #noteWritten(database: string, header: string): void {
    const known = this.#written.get(database);
    const told = parsePositions(header);
    const all = known === undefined ? told : mergePositions(onePosition(database, known), told);
    const position = all.byDatabase.get(database);
    if (position !== undefined) this.#written.set(database, position);
  }
}

function carriedOf(headers: IncomingHttpHeaders): Positions {
  const { cookie, 'skein-position': position } = headers;
  return carriedPositions({
    cookies: cookie === undefined ? [] : [cookie],
    position: typeof position === 'string' ? position : undefined,
  });
}

function notPrimary(): HranaError {
  const message = 'Cannot execute what was forwarded: this node is not the primary';
  return new HranaError('NOT_PRIMARY', message);
}

/** `isRead`: nothing can have been written. */
function lossOf(answer: Exclude<WorkAnswer, { kind: 'answer' }>, isRead: boolean): HranaError {
  if (answer.kind === 'not-begun') {
    if (answer.reason !== 'stream-lost') {
      return new HranaError('SQL_UNAVAILABLE', 'No worker has time for the request');
    }
    const message = 'The stream has ended with its worker, and its transaction was rolled back';
    return new HranaError('STREAM_EXPIRED', message);
  }
  const reason = answer.isSlow ? 'The statement took too long' : 'Its worker has ended';
  if (!isRead) {
    return new HranaError('OUTCOME_UNKNOWN', `${reason}: it is not known whether it was committed`);
  }
  return new HranaError(answer.isSlow ? 'SQL_TIMEOUT' : 'SQL_UNAVAILABLE', `${reason}: send less`);
}
