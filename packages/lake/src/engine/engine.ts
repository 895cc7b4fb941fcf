// The engine of the lake: plans requests, reads in pinned snapshots, writes one after the other.
//
// Invariant: a request is one transaction. What it read or made is in `snapshot` of its execution,
// and nothing of a failed one stays. A node has one role at a time; when the role changes, requests
// that run keep the session that they have, and the next ones get a new one.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '@skein/host';

import { analyze, type Statement } from '../sql/analyze.ts';
import { describeLake } from './catalog-description.ts';
import { Deadline } from './deadline.ts';
import { DuckParser } from './duck-parser.ts';
import { lakePath } from './duckdb-session.ts';
import { LakeError } from './errors.ts';
import { ingestFile } from './ingest.ts';
import { maintain } from './maintenance.ts';
import type { PinnedConnection } from './pinned-connections.ts';
import type {
  CatalogDescription,
  EngineConfig,
  ExecuteOptions,
  Execution,
  IngestFile,
  LakeEngine,
  LakeRole,
  MaintenanceReport,
  RequestPlan,
  Snapshot,
  TableName,
  WaitOptions,
} from './ports.ts';
import { formatPosition, parsePosition } from './position-token.ts';
import { runRead } from './run-read.ts';
import { runWrite, type WriteContext } from './run-write.ts';
import { openServing, type Serving } from './serving.ts';
import { translateError, type TranslateOptions } from './translate-error.ts';
import { WriteQueue } from './write-queue.ts';

const QUEUED_WRITES_MAX = 256;
/** Between two tries to open a catalog that is not there yet. */
const REOPEN_MS = 200;
/** Between two looks at a catalog that somebody waits for. */
const POLL_MS = 10;
/**
 * The same for a catalog whose changes nobody announces, and for whoever carries no position: a
 * request looks more than once.
 */
const UNANNOUNCED_MS = 20;

/** Opens the lake; a reader may find its catalog later. Throws LAKE_CATALOG on a writer. */
export async function createLakeEngine(config: EngineConfig): Promise<LakeEngine> {
  await rm(join(config.scratchFolder, 'engine'), { recursive: true, force: true });
  await rm(join(config.scratchFolder, 'staging'), { recursive: true, force: true });
  await mkdir(config.scratchFolder, { recursive: true });
  const engine = new Engine(config, await DuckParser.open());
  try {
    await engine.start();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

class Engine implements LakeEngine {
  readonly #config: EngineConfig;
  readonly #parser: DuckParser;
  readonly #queue: WriteQueue;
  readonly #translate: TranslateOptions;
  readonly #plans = new WeakMap<RequestPlan, readonly Statement[]>();
  readonly #stopped = new AbortController();
  #serving: Serving | undefined;
  #opening: Promise<Serving> | undefined;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #lastFailure: unknown;
  #looking: Promise<Snapshot> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #stopRoles: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seenPosition = '';

  constructor(config: EngineConfig, parser: DuckParser) {
    this.#config = config;
    this.#parser = parser;
    this.#queue = new WriteQueue(config.queuedWritesMax ?? QUEUED_WRITES_MAX);
    const { catalogPath, scratchFolder } = config;
    const paths = [catalogPath, `${scratchFolder}/`, lakePath(config, 'writer')];
    if (config.readDataPath !== undefined) paths.push(lakePath(config, 'reader'));
    this.#translate = { privatePaths: paths };
  }

  get role(): LakeRole {
    return this.#config.role.role;
  }

  async start(): Promise<void> {
    const { role, maintenance } = this.#config;
    this.#stopRoles = role.onRole(() => {
      this.#retire();
    });
    try {
      await this.#serve();
    } catch (error) {
      if (this.role === 'writer') throw error;
    }
    if (maintenance.intervalMs === 0) return;
    this.#timer = setInterval(() => {
      this.#maintainInBackground();
    }, maintenance.intervalMs);
    this.#timer.unref();
  }

  async plan(sql: string): Promise<RequestPlan> {
    const serving = await this.#serve();
    const { exportFolder } = this.#config;
    let statements: Statement[];
    try {
      statements = await analyze(sql, this.#parser, { exportFolder });
    } catch (error) {
      throw translateError(error, this.#translate);
    }
    const isReadOnly = statements.every(({ isRead }) => isRead);
    // Before a view is judged by its name: what views there are is read with the snapshot.
    const schemaVersion = isReadOnly ? await this.#schemaVersion(serving) : undefined;
    const plan: RequestPlan = {
      sql,
      statements: statements.map((statement, index) => {
        const { kind, sql: text, isRead } = statement;
        return { index, kind, sql: text, isRead };
      }),
      isReadOnly,
      isDeterministic: isReadOnly && statements.every((each) => isStable(each, serving)),
      schemaVersion,
      tables: [...new Set(statements.flatMap(({ tables }) => tables))],
    };
    this.#plans.set(plan, statements);
    return plan;
  }

  async execute(plan: RequestPlan, options: ExecuteOptions): Promise<Execution> {
    const serving = await this.#serve();
    const statements = this.#plans.get(plan) ?? (await this.#replan(plan));
    if (!plan.isReadOnly) this.#checkMayWrite(serving, options);
    const deadline = new Deadline(options);
    let isStreaming = false;
    try {
      if (plan.isReadOnly) {
        this.#observe(serving);
        const position = (snapshot: Snapshot): string => this.#formatPosition(snapshot);
        const translate = this.#translate;
        const read = { statements, options, deadline, position, translate };
        const execution = await runRead(serving, read);
        isStreaming = true;
        return execution;
      }
      return await runWrite(this.#writeContext(serving), { statements, options, deadline });
    } catch (error) {
      throw translateError(error, this.#translate);
    } finally {
      if (!isStreaming) deadline[Symbol.dispose]();
    }
  }

  async ingest(file: IngestFile, target: TableName): Promise<Execution> {
    const serving = await this.#serve();
    this.#checkMayWrite(serving, { mayWrite: true });
    try {
      return await ingestFile(this.#writeContext(serving), file, target);
    } catch (error) {
      throw translateError(error, this.#translate);
    }
  }

  async snapshot(): Promise<Snapshot> {
    const pin = await this.#pin();
    pin.release(false);
    return pin.snapshot;
  }

  async waitFor(position: string, options: WaitOptions): Promise<void> {
    const { snapshot, catalog } = parsePosition(position);
    using deadline = new Deadline({ ...options, timeoutMs: undefined });
    const until = AbortSignal.any([deadline.signal, AbortSignal.timeout(options.timeoutMs)]);
    const { role } = this.#config;
    try {
      let { id } = await this.snapshot();
      while (id < snapshot) {
        const isAnnounced = role.role === 'reader' && role.position() !== undefined;
        if (catalog !== undefined && isAnnounced) {
          await role.waitForPosition(catalog, { ...options, signal: until });
        }
        ({ id } = await this.#lookAgain());
        until.throwIfAborted();
      }
    } catch (error) {
      deadline.check();
      if (!until.aborted) throw error;
      const message = `This node does not have position ${position} yet`;
      throw new LakeError('timeout', 'POSITION_TIMEOUT', message, { cause: error });
    }
  }

  async describeCatalog(): Promise<CatalogDescription> {
    const pin = await this.#pin();
    try {
      const { staging } = await this.#serve();
      await pin.optimize(true);
      return await describeLake(pin, staging.names);
    } catch (error) {
      throw translateError(error, this.#translate);
    } finally {
      pin.release(false);
    }
  }

  async maintain(): Promise<MaintenanceReport> {
    const serving = await this.#serve();
    return this.#queue.run(async () => {
      const { policy, now, onStep } = this.#maintenance();
      const report = await maintain(serving.writer, { policy, now, onStep });
      serving.pins.bump();
      return report;
    }, this.#stopped.signal);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopRoles?.();
    this.#stopped.abort(new LakeError('cancelled', 'LAKE_CANCELLED', 'The lake is closing'));
    const serving = this.#serving;
    this.#serving = undefined;
    // A write that has begun its commit ends it; what waits behind it is told to stop.
    await this.#queue.run(() => Promise.resolve()).catch(() => undefined);
    serving?.close();
    await this.#parser.close();
  }

  /** One look for all who wait: anybody may ask for a position that never comes. */
  #lookAgain(): Promise<Snapshot> {
    this.#looking ??= this.#lookSoon().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookSoon(): Promise<Snapshot> {
    const restMs = this.#lookedAtMs + POLL_MS - systemClock.monotonicMs();
    if (restMs > 0) await sleep(restMs);
    this.#lookedAtMs = systemClock.monotonicMs();
    // A writer makes the snapshots itself, and knows of each.
    if (this.role === 'reader') this.#serving?.pins.bump();
    return this.snapshot();
  }

  async #schemaVersion(serving: Serving): Promise<bigint> {
    const pin = await this.#pin(serving);
    pin.release(false);
    return pin.snapshot.schemaVersion;
  }

  async #pin(given?: Serving): Promise<PinnedConnection> {
    const serving = given ?? (await this.#serve());
    this.#observe(serving);
    try {
      return await serving.pins.acquire();
    } catch (error) {
      throw translateError(error, this.#translate);
    }
  }

  /** A plan of another engine, or of one that has been garbage. */
  async #replan(plan: RequestPlan): Promise<readonly Statement[]> {
    return this.#plans.get(await this.plan(plan.sql))!;
  }

  #checkMayWrite(serving: Serving, options: ExecuteOptions): void {
    if (options.mayWrite && serving.session.role === 'writer') return;
    const message =
      serving.session.role === 'reader'
        ? 'This node is a reader: writes go to the writer'
        : 'The request may only read';
    throw new LakeError('read-only', 'LAKE_READ_ONLY', message);
  }

  #writeContext(serving: Serving): WriteContext {
    return {
      serving,
      config: this.#config,
      queue: this.#queue,
      translate: this.#translate,
      closing: this.#stopped.signal,
      timeMs: () => systemClock.wallMs(),
      position: (snapshot) => this.#formatPosition(snapshot),
    };
  }

  #formatPosition(snapshot: Snapshot): string {
    return formatPosition({ snapshot: snapshot.id, catalog: this.#config.role.position() });
  }

  /** On a reader: whether replication has brought something since the last look. */
  #observe(serving: Serving): void {
    if (serving.session.role === 'writer') return;
    const position = this.#config.role.position();
    if (position === undefined) {
      const nowMs = systemClock.monotonicMs();
      if (nowMs - this.#lookedAtMs < UNANNOUNCED_MS) return;
      this.#lookedAtMs = nowMs;
      serving.pins.bump();
      return;
    }
    const key = `${position.epoch}.${position.txid}`;
    if (key !== this.#seenPosition) serving.pins.bump();
    this.#seenPosition = key;
  }

  /** The session of the role that this node has now. Throws LAKE_CATALOG while there is none. */
  async #serve(): Promise<Serving> {
    if (this.#stopped.signal.aborted) throw this.#stopped.signal.reason;
    if (this.#serving !== undefined) return this.#serving;
    if (this.#opening !== undefined) return this.#opening;
    if (systemClock.monotonicMs() - this.#triedAtMs < REOPEN_MS) throw this.#lastFailure;
    const opening = this.#open();
    this.#opening = opening;
    return opening;
  }

  async #open(): Promise<Serving> {
    const { role } = this;
    try {
      const serving = await openServing(this.#config, role, () => systemClock.monotonicMs());
      if (role !== this.role) {
        serving.close();
        throw new LakeError('unavailable', 'LAKE_CATALOG', 'The role of this node changes');
      }
      this.#serving = serving;
      return serving;
    } catch (error) {
      this.#triedAtMs = systemClock.monotonicMs();
      this.#lastFailure = translateError(error, this.#translate);
      throw this.#lastFailure;
    } finally {
      this.#opening = undefined;
    }
  }

  /** After a change of role: requests that run finish, the next one opens what fits. */
  #retire(): void {
    const serving = this.#serving;
    this.#serving = undefined;
    this.#triedAtMs = Number.NEGATIVE_INFINITY;
    if (serving === undefined) return;
    this.#queue
      .run(() => Promise.resolve(serving.close()))
      .catch((error: unknown) => this.#config.onError?.(error, 'a change of role'));
  }

  #maintenance(): Parameters<typeof maintain>[1] {
    const { maintenance: policy, onStep } = this.#config;
    return { policy, now: () => systemClock.wallMs(), onStep };
  }

  #maintainInBackground(): void {
    if (this.role === 'reader' || this.#serving === undefined) return;
    this.maintain().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#config.onError?.(error, 'maintenance');
    });
  }
}

function isStable(statement: Statement, serving: Serving): boolean {
  return (
    statement.isDeterministic && !statement.names.some((name) => serving.volatileNames.has(name))
  );
}
