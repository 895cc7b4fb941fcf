// The answer to a query that may run: from memory, by a word that the client's copy is still right,
// or from the engine, streamed.

import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { DuckDBDataChunk } from '@duckdb/node-api';

import { LakeError } from '../engine/errors.ts';
import type { Execution, LakeEngine, RequestPlan, Snapshot } from '../engine/ports.ts';
import type { Admission } from './admission.ts';
import { etagOf, formatEtag, isNamedBy } from './etag.ts';
import { INTERNAL, maybeErrorAnswer } from './error-answer.ts';
import { schemaParameter } from './formats/arrow-types.ts';
import { resultFormat } from './formats/formats.ts';
import { PARQUET_CONTENT_TYPE, writeParquet } from './formats/parquet.ts';
import type { ResultEncoder, ResultFormat } from './formats/result-format.ts';
import type { Encoding } from './negotiate.ts';
import type { LakeHttpOptions } from './options.ts';
import { type CachedResult, ResultCache } from './result-cache.ts';
import { compress, COMPRESSED_BYTES_MIN, ResultSink } from './result-sink.ts';
import type { Parameters, Visit } from './visit.ts';

export interface Question {
  readonly plan: RequestPlan;
  readonly parameters: Parameters | undefined;
  /** Whether caches on the way may keep the answer: that of a GET. */
  readonly isStored: boolean;
}

/** So much of a result is made before its status is sent: an error in it still has a status. */
const HELD_BYTES = 64 * 1024;
/** Proxies and clients take some 16 KiB of headers, many of them 8: wide tables come without it. */
const SCHEMA_LENGTH_MAX = 6 * 1024;

export class ResultAnswer {
  readonly #options: LakeHttpOptions;
  readonly #engine: LakeEngine;
  readonly #queries: Admission;
  readonly #writes: Admission;
  readonly #cache: ResultCache;
  readonly #cacheHits: { add(amount: number): void };
  readonly #cacheMisses: { add(amount: number): void };
  #files = 0;

  constructor(options: LakeHttpOptions, queries: Admission, writes: Admission) {
    this.#options = options;
    this.#engine = options.engine;
    this.#queries = queries;
    this.#writes = writes;
    this.#cache = new ResultCache(options.limits.cacheBytes);
    const counter = (outcome: string): { add(amount: number): void } =>
      options.metrics.counter(
        'skein_lake_result_cache_total',
        'Queries whose result may be kept, by whether it was',
        { outcome },
      );
    this.#cacheHits = counter('hit');
    this.#cacheMisses = counter('miss');
  }

  async send(visit: Visit, question: Question): Promise<void> {
    const { plan } = question;
    if (!plan.isReadOnly || !plan.isDeterministic) return this.#run(visit, question, undefined);
    const key = keyOf(visit, question);
    const state = stateOf(await this.#engine.snapshot());
    if (question.isStored) {
      const etag = etagOf(key, state);
      if (isNamedBy(visit.request.headers['if-none-match'], etag)) {
        return this.#notModified(visit, etag);
      }
    }
    const cached = this.#cache.find(key, state);
    if (cached !== undefined) {
      this.#cacheHits.add(1);
      return this.#sendWhole(visit, question, cached, { key, outcome: 'hit' });
    }
    this.#cacheMisses.add(1);
    return this.#run(visit, question, key);
  }

  async #run(visit: Visit, question: Question, key: string | undefined): Promise<void> {
    const { limits, clock } = this.#options;
    const { plan, parameters } = question;
    const { signal, wish } = visit;
    const admission = plan.isReadOnly ? this.#queries : this.#writes;
    const timeoutMs = Math.min(wish.timeoutMs ?? limits.queryMs, limits.queryMs);
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const leave = await admission.enter(signal);
    let execution: Execution | undefined;
    try {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) throw tooLong();
      const mayWrite = !plan.isReadOnly;
      execution = await this.#engine.execute(plan, {
        parameters,
        signal,
        timeoutMs: leftMs,
        mayWrite,
      });
      await this.#sendExecution(visit, question, execution, keptBy(key, plan, execution));
    } finally {
      await execution?.close();
      leave();
    }
  }

  async #sendExecution(
    visit: Visit,
    question: Question,
    execution: Execution,
    key: string | undefined,
  ): Promise<void> {
    if (question.plan.statements.at(-1)!.isRead) {
      if (visit.wish.format === 'parquet') return this.#sendParquet(visit, execution, key);
      const format = await resultFormat(visit.wish.format);
      return this.#sendRows(visit, question, { execution, format, key });
    }
    // A write is done when its last chunk has come, which says how many rows there were.
    for await (const chunk of execution.chunks()) void chunk;
    const { response } = visit;
    this.#setTime(visit);
    response.setHeader('X-Skein-Position', execution.position);
    const { rowsChanged } = execution;
    if (rowsChanged !== undefined) response.setHeader('X-Skein-Rows-Changed', rowsChanged);
    response.writeHead(200, { 'Content-Length': 0 }).end();
  }

  async #sendRows(visit: Visit, question: Question, result: Rows): Promise<void> {
    const { execution, format, key } = result;
    const encoder = format.begin(execution.columns);
    const chunks = execution.chunks()[Symbol.asyncIterator]();
    const held: Uint8Array[] = [encoder.head()];
    let size = 0;
    let isWhole = false;
    while (size < HELD_BYTES && !isWhole) {
      const next = await chunks.next();
      isWhole = next.done === true;
      const bytes = next.done === true ? encoder.end() : encoder.rows(next.value);
      held.push(bytes);
      size += bytes.length;
    }
    const contentType = contentTypeOf(format, execution);
    const state = stateOf(execution.snapshot);
    const { position } = execution;
    if (isWhole) {
      const body = Buffer.concat(held);
      const entry = { state, contentType, position, body, encoded: new Map() };
      return this.#sendWhole(visit, question, entry, { key, outcome: 'miss' });
    }
    this.#begin(visit, question, { contentType, position, key, state, outcome: 'miss' });
    await this.#stream(visit, { held, chunks, encoder });
  }

  async #stream(visit: Visit, rest: Rest): Promise<void> {
    const { response, wish } = visit;
    const { held, chunks, encoder } = rest;
    if (wish.encoding !== 'identity') response.setHeader('Content-Encoding', wish.encoding);
    const sink = new ResultSink(response, wish.encoding, this.#options.limits.stallMs);
    response.writeHead(200);
    try {
      for (const bytes of held) await sink.write(bytes);
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) break;
        await sink.write(encoder.rows(next.value));
      }
      await sink.write(encoder.end());
      sink.end();
    } catch (error) {
      const { code, message } = maybeErrorAnswer(error) ?? INTERNAL;
      await sink.fail(encoder.failure(code, message));
      throw error;
    }
  }

  /** A result that is in memory: kept for the next one who asks, if it may be. */
  async #sendWhole(
    visit: Visit,
    question: Question,
    entry: CachedResult,
    from: { readonly key: string | undefined; readonly outcome: 'hit' | 'miss' },
  ): Promise<void> {
    const { response, wish } = visit;
    const { key, outcome } = from;
    if (outcome === 'miss' && key !== undefined) this.#cache.add(key, entry);
    const isSmall = entry.body.length < COMPRESSED_BYTES_MIN;
    const encoding = isSmall ? 'identity' : wish.encoding;
    const body = await encodedBody(entry, encoding);
    if (response.destroyed) return;
    this.#begin(visit, question, { ...entry, key, outcome, isCompressed: encoding !== 'identity' });
    if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
  }

  async #sendParquet(visit: Visit, execution: Execution, key: string | undefined): Promise<void> {
    const { scratchFolder, limits } = this.#options;
    const { response } = visit;
    this.#files += 1;
    const path = join(scratchFolder, `result-${process.pid}-${this.#files}.parquet`);
    await writeParquet(execution, path, scratchFolder);
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const { position, snapshot } = execution;
      const contentType = PARQUET_CONTENT_TYPE;
      const state = stateOf(snapshot);
      const isStored = visit.request.method !== 'POST';
      this.#begin(visit, { isStored }, { contentType, position, key, state, outcome: 'miss' });
      response.writeHead(200, { 'Content-Length': size });
      const sink = new ResultSink(response, 'identity', limits.stallMs);
      for await (const part of file.createReadStream({ autoClose: false })) {
        await sink.write(part as Buffer);
      }
      sink.end();
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  }

  #begin(visit: Visit, { isStored }: Pick<Question, 'isStored'>, head: Head): void {
    const { response, wish } = visit;
    response.setHeader('Content-Type', head.contentType);
    response.setHeader('X-Skein-Position', head.position);
    response.setHeader('X-Skein-Cache', head.outcome);
    this.#setTime(visit);
    if (!isStored) return;
    if (head.key === undefined) {
      response.setHeader('Cache-Control', 'no-store');
      return;
    }
    const isCompressed = head.isCompressed ?? wish.encoding !== 'identity';
    response.setHeader('ETag', formatEtag(etagOf(head.key, head.state), isCompressed));
    response.setHeader('Cache-Control', this.#cacheControl());
  }

  #notModified(visit: Visit, etag: string): void {
    const { response } = visit;
    this.#setTime(visit);
    response.setHeader('ETag', formatEtag(etag, false));
    response.setHeader('Cache-Control', this.#cacheControl());
    response.writeHead(304).end();
  }

  /** What a password protects is for whoever asked, and for no cache that others share. */
  #cacheControl(): string {
    const { cacheControl, access } = this.#options;
    if (access.read === 'any') return cacheControl;
    const kept = cacheControl
      .split(',')
      .map((each) => each.trim())
      .filter((each) => !/^(?:public|private|s-maxage=.*|)$/i.test(each));
    return [...kept, 'private'].join(', ');
  }

  #setTime({ response, arrivedMs }: Visit): void {
    const ms = Math.round(this.#options.clock.monotonicMs() - arrivedMs);
    response.setHeader('X-Seafowl-Query-Time', ms);
  }
}

interface Rows {
  readonly execution: Execution;
  readonly format: ResultFormat;
  readonly key: string | undefined;
}

interface Rest {
  readonly held: readonly Uint8Array[];
  readonly chunks: AsyncIterator<DuckDBDataChunk>;
  readonly encoder: ResultEncoder;
}

interface Head {
  readonly contentType: string;
  readonly position: string;
  readonly key: string | undefined;
  readonly state: string;
  readonly outcome: 'hit' | 'miss';
  readonly isCompressed?: boolean;
}

/** Query, parameters and format: what a result depends on beside the state of the lake. */
function keyOf({ wish }: Visit, { plan, parameters }: Question): string {
  return JSON.stringify([wish.format, plan.sql, parameters ?? null]);
}

/** A view may have been replaced since the plan was made: then nobody said that it may be kept. */
function keptBy(
  key: string | undefined,
  plan: RequestPlan,
  { snapshot }: Execution,
): string | undefined {
  return snapshot.schemaVersion === plan.schemaVersion ? key : undefined;
}

function stateOf({ id, schemaVersion, madeAt }: Snapshot): string {
  return `${id}.${schemaVersion}.${madeAt}`;
}

async function encodedBody(entry: CachedResult, encoding: Encoding): Promise<Buffer> {
  const found = entry.encoded.get(encoding);
  if (found !== undefined) return found;
  const body = await compress(entry.body, encoding);
  if (encoding !== 'identity') entry.encoded.set(encoding, body);
  return body;
}

/** JSON lines carry the types of the columns as Seafowl's do. */
function contentTypeOf({ name, contentType }: ResultFormat, { columns }: Execution): string {
  if (name !== 'json') return contentType;
  const schema = schemaParameter(columns);
  return schema.length > SCHEMA_LENGTH_MAX ? contentType : `${contentType}; arrow-schema=${schema}`;
}

function tooLong(): LakeError {
  return new LakeError('timeout', 'LAKE_TIMEOUT', 'The query took longer than it may');
}
