// Queries: POST /q for one or more statements, GET /q/… for a read that caches may keep.
//
// A request is one transaction. What may be read again in the same state of the lake is kept in
// memory; a cache that asks whether its copy is still right is answered from the state alone,
// without a query.
//
// Invariant: a status of 200 with a whole body is a whole result. What fails later is cut off
// (result-sink.ts).

import type { LakeEngine, RequestPlan } from '../engine/ports.ts';
import { checkRead, mayRead, mayWrite, writeForbidden } from './access.ts';
import type { Admission } from './admission.ts';
import { badRequest, LakeHttpError } from './errors.ts';
import { parseLenientJson } from './lenient-json.ts';
import type { LakeHttpOptions } from './options.ts';
import { PlanCache } from './plan-cache.ts';
import { queryTextOf } from './query-text.ts';
import { inviteBody, readBody } from './read-body.ts';
import { ResultAnswer } from './result-answer.ts';
import { DEFAULT_DATABASE } from './routes.ts';
import { headerOf, type Parameters, readParameters, type Visit } from './visit.ts';

interface QueryBody {
  readonly query: string;
  readonly parameters: Parameters | undefined;
}

export class QueryHandler {
  readonly #options: LakeHttpOptions;
  readonly #engine: LakeEngine;
  readonly #plans: PlanCache;
  readonly #answers: ResultAnswer;

  constructor(options: LakeHttpOptions, queries: Admission, writes: Admission) {
    this.#options = options;
    this.#engine = options.engine;
    this.#plans = new PlanCache(options.engine);
    this.#answers = new ResultAnswer(options, queries, writes);
  }

  async post(visit: Visit, database: string): Promise<void> {
    const { query, parameters } = await this.#readPost(visit);
    checkDatabase(database);
    // In this order: then the catalog is looked at once.
    if (mayRead(visit.principal, this.#options.access)) await this.#reach(visit);
    const plan = await this.#plans.plan(query);
    if (plan.statements.length === 0) throw badRequest('Empty query received');
    this.#authorise(visit, plan);
    checkShape(plan);
    await this.#answers.send(visit, { plan, parameters, isStored: false });
  }

  async get(visit: Visit, database: string, segment: string): Promise<void> {
    const { access } = this.#options;
    const { headers } = visit.request;
    checkRead(visit.principal, access);
    const header = headerOf(headers['x-seafowl-query']) ?? headerOf(headers['x-skein-query']);
    const body = await this.#maybeReadGet(visit);
    const sql = queryTextOf({ segment, header, body: body?.query });
    checkDatabase(database);
    await this.#reach(visit);
    const plan = await this.#plans.plan(sql);
    if (plan.statements.length === 0) throw badRequest('Empty query received');
    if (plan.statements.length > 1) {
      throw badRequest(
        'This feature is not implemented: ' +
          'The context currently only supports a single SQL statement',
      );
    }
    if (!plan.isReadOnly) throw new LakeHttpError(405, 'LAKE_METHOD', 'NOT_READ_ONLY_QUERY');
    const parameters = body?.parameters ?? visit.wish.parameters;
    // Caches go by the URL: parameters in a body would give one client the answer of another.
    const isStored = body?.parameters === undefined;
    if (!isStored) visit.response.setHeader('Cache-Control', 'no-store');
    await this.#answers.send(visit, { plan, parameters, isStored });
  }

  #authorise({ principal }: Visit, plan: RequestPlan): void {
    const { access } = this.#options;
    const isAllowed = plan.isReadOnly ? mayRead(principal, access) : mayWrite(principal, access);
    if (!isAllowed) throw writeForbidden();
    if (!plan.isReadOnly && this.#engine.role === 'reader') throw writeForbidden();
  }

  /** A client that has seen a write sees it here too. */
  async #reach({ wish, signal }: Visit): Promise<void> {
    if (wish.position === undefined) return;
    const { positionMs } = this.#options.limits;
    await this.#engine.waitFor(wish.position, { timeoutMs: positionMs, signal });
  }

  async #readPost({ request, response }: Visit): Promise<QueryBody> {
    const { queryBytes, stallMs } = this.#options.limits;
    const contentType = request.headers['content-type'];
    if (contentType !== undefined && !isJson(contentType)) {
      throw noQuery('the Content-Type is not application/json');
    }
    inviteBody(request, response);
    const text = await readBody(request, { bytesMax: queryBytes, stallMs });
    let value: unknown;
    try {
      value = parseLenientJson(text);
    } catch (error) {
      throw noQuery((error as Error).message);
    }
    const body = maybeQueryBody(value);
    if (body === undefined) throw noQuery('there is no text "query" in the JSON object');
    return body;
  }

  /** Of a GET: what is no query is as if it was not there. */
  async #maybeReadGet({ request, response }: Visit): Promise<QueryBody | undefined> {
    const { queryBytes, stallMs } = this.#options.limits;
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    if ((length === undefined || length === '0') && coding === undefined) return undefined;
    inviteBody(request, response);
    const text = await readBody(request, { bytesMax: queryBytes, stallMs });
    try {
      return maybeQueryBody(parseLenientJson(text));
    } catch {
      return undefined;
    }
  }
}

function maybeQueryBody(value: unknown): QueryBody | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { query, parameters } = value as Readonly<Record<string, unknown>>;
  if (typeof query !== 'string') return undefined;
  return { query, parameters: readParameters(parameters) };
}

/** A read gives the answer, so it comes last; a second one would have none. */
function checkShape({ statements }: RequestPlan): void {
  if (statements.slice(0, -1).every(({ isRead }) => !isRead)) return;
  throw badRequest(
    'Only one read statement is allowed and it must be at the end of a multi-statement query',
  );
}

function checkDatabase(database: string): void {
  if (database === DEFAULT_DATABASE) return;
  throw badRequest(`Error during planning: Catalog "${database}" doesn't exist`);
}

function isJson(contentType: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

function noQuery(why: string): LakeHttpError {
  return badRequest(`No query found in the request: ${why}`);
}
