// What the proxy does with a request: decide, wait if that may help, send, say what became of it.
//
// Invariant: a request that is not a read without a body is sent at most once. It is tried again
// only while nothing of it has been sent.

import { setTimeout as sleep } from 'node:timers/promises';

import { formatHop, formatPositions, formatVia } from '@skein/client/peers';

import type { AnswerHead } from './answer-parser.ts';
import { notExecuted, refusal, sendAnswer, unknownOutcome } from './answers.ts';
import { decide, type Decision, isWorthWaiting, type PathRules } from './decide.ts';
import { forwardedHeaders } from './forwarded.ts';
import { KeptConnections } from './kept-connections.ts';
import { LocalAnswers } from './local-answers.ts';
import type { PrimaryNode } from './node-view.ts';
import type { ResolvedOptions } from './options.ts';
import { compilePatterns } from './patterns.ts';
import { createProxyMetrics, type ProxyMetrics, type Route } from './proxy-metrics.ts';
import { relayWhole } from './relay-whole.ts';
import { type Passage, relay, type RelayResult } from './relay.ts';
import { keptResponseHeaders } from './request-headers.ts';
import { positionsOf } from './seen.ts';
import { isSmallBody, readSmallBody } from './small-body.ts';
import { Tunnels } from './tunnel.ts';
import { hostAndPort, SingleUseAgent } from './upstream.ts';
import { type Arrival, isVisit, readVisit, type Visit } from './visit.ts';
import { WaitingRoom } from './waiting.ts';

/** Between attempts to reach an app that does not listen yet, or a primary that does not answer. */
const RETRY_MS = 100;

/** Where a request goes that is to be sent. */
type Sending = Extract<Decision, { go: 'local' | 'forward' }>;

export class ProxyHandler {
  readonly #options: ResolvedOptions;
  readonly #rules: PathRules;
  readonly #metrics: ProxyMetrics;
  readonly #connections: KeptConnections;
  readonly #agent: SingleUseAgent;
  readonly #room: WaitingRoom;
  readonly #tunnels: Tunnels;
  readonly #localAnswers: LocalAnswers;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#rules = {
      isPassthrough: compilePatterns(options.passthrough),
      isAlwaysForwarded: compilePatterns(options.alwaysForward),
    };
    const metrics = createProxyMetrics(options.metrics);
    const { limits } = options;
    this.#metrics = metrics;
    this.#connections = new KeptConnections(limits.connectMs);
    this.#agent = new SingleUseAgent(limits.connectMs);
    this.#room = new WaitingRoom(options.view, limits.waiters, (size) => metrics.waiting.set(size));
    this.#tunnels = new Tunnels(limits.upgrades, (size) => metrics.upgrades.set(size));
    this.#localAnswers = new LocalAnswers(options);
  }

  /** Answers, whatever happens. */
  async handle(arrival: Arrival): Promise<void> {
    const visit = readVisit(arrival, this.#rules, this.#options);
    const { response } = arrival;
    if (!isVisit(visit)) return sendAnswer(response, visit);
    if (visit.kind === 'health') return this.#answerHealth(visit);
    if (visit.upgrade !== undefined && this.#tunnels.isFull) {
      return this.#refuse(visit, notExecuted('Cannot switch protocols: too many connections have'));
    }
    const { clock } = this.#options;
    const arrivedMs = clock.monotonicMs();
    const decision = await this.#decideInTime(visit);
    const waitedMs = clock.monotonicMs() - arrivedMs;
    await this.#follow(visit, decision, { arrivedMs, waitedMs });
  }

  /** What still waits is answered, connections without an end are cut. */
  endWaiting(): void {
    this.#room.clear();
    this.#tunnels.close();
  }

  close(): void {
    this.#connections.destroy();
    this.#agent.destroy();
  }

  async #follow(visit: Visit, decision: Decision, times: Times): Promise<void> {
    if (decision.go === 'refuse') return this.#refuse(visit, refusal(decision.reason));
    if (decision.go === 'forward' && this.#options.flyReplay) {
      this.#count('replay');
      const replay = ['fly-replay', `instance=${decision.primary.name}`];
      visit.response.writeHead(200, [...replay, 'Content-Length', '0']);
      visit.response.end();
      return;
    }
    this.#count(decision.go);
    await this.#send(visit, decision, times);
  }

  /** The decision once there is nothing better to wait for, or no time. */
  async #decideInTime(visit: Visit): Promise<Decision> {
    const { view, waitMs, primaryWaitMs } = this.#options;
    const { question } = visit;
    let decision = decide(question, view);
    if (!isWorthWaiting(question, decision)) return decision;
    const timeoutMs = question.kind === 'read' ? waitMs : primaryWaitMs;
    const startedMs = this.#options.clock.monotonicMs();
    const isOver = (): boolean => {
      decision = decide(question, view);
      return !isWorthWaiting(question, decision);
    };
    await this.#room.wait(isOver, { timeoutMs, signal: signalOf(visit) });
    this.#metrics.waits.add(1);
    this.#metrics.waitSeconds.add((this.#options.clock.monotonicMs() - startedMs) / 1000);
    if (isWorthWaiting(question, decision)) this.#metrics.waitsInVain.add(1);
    return decision;
  }

  async #send(visit: Visit, first: Sending, times: Times): Promise<void> {
    const { clock, startWaitMs, primaryWaitMs, view } = this.#options;
    const body = await this.#bodyOf(visit);
    if (body === 'client-gone') return;
    let sending: Decision = first;
    let isRepeat = false;
    while (sending.go !== 'refuse') {
      const result = await this.#sendOnce(visit, { sending, body, times, isRepeat });
      if (result.kind === 'answered' || result.kind === 'client-gone') return;
      if (result.kind === 'lost') {
        if (!isRepeatable(visit) || isRepeat) return this.#lost(visit, result.error);
        this.#metrics.repeated.add(1);
        isRepeat = true;
        continue;
      }
      const patienceMs = sending.go === 'local' ? startWaitMs : primaryWaitMs;
      if (clock.monotonicMs() - times.arrivedMs >= patienceMs) {
        return this.#refuse(visit, notExecuted(unreachable(sending, result.error)));
      }
      await pause(visit);
      if (visit.response.destroyed) return;
      // Meanwhile another node may have become primary.
      sending = decide(visit.question, view);
    }
    this.#refuse(visit, refusal(sending.reason));
  }

  /** What goes at once; larger ones, and those whose length nobody knows, stream. */
  async #bodyOf(visit: Visit): Promise<Body | 'client-gone'> {
    if (visit.expectsContinue || visit.upgrade !== undefined) return 'streams';
    if (!visit.hasBody) return undefined;
    if (!isSmallBody(visit.headers)) return 'streams';
    return (await readSmallBody(visit, this.#options.limits.bodyStallMs)) ?? 'client-gone';
  }

  async #sendOnce(visit: Visit, attempt: Attempt): Promise<RelayResult> {
    const { sending, body, times, isRepeat } = attempt;
    const isForward = sending.go === 'forward';
    const debug = this.#debugHeaders(visit, sending.go, times.waitedMs);
    const local = isForward ? undefined : this.#localAnswers.begin(visit);
    const headers = (answer: AnswerHead): string[] => {
      const kept = keptResponseHeaders(answer.rawHeaders, isForward);
      kept.push('Via', formatVia(answer.httpVersion), ...debug);
      return kept;
    };
    try {
      const passage = this.#passage(visit, sending, (answer) => {
        if (isForward) this.#logForwarded(visit, sending.primary, answer, times);
        return local === undefined ? headers(answer) : local.headers(headers(answer));
      });
      if (body === 'streams') return await relay(passage);
      // What is sent again does not meet the next connection that is about to be closed.
      const isKept = isRepeatable(visit) && !isRepeat;
      const { to } = passage;
      const connection = isKept ? this.#connections.take(to) : this.#connections.takeNew(to);
      return await relayWhole({ ...passage, body, isKept }, connection);
    } finally {
      local?.end();
    }
  }

  #passage(visit: Visit, sending: Sending, onAnswer: Passage['onAnswer']): Passage {
    const { request, response, target, upgrade, hasBody, expectsContinue } = visit;
    const to =
      sending.go === 'local' ? this.#options.target : hostAndPort(sending.primary.proxyUrl);
    return {
      request,
      response,
      to,
      target,
      agent: this.#agent,
      headers: this.#headersFor(visit, sending),
      hasBody,
      expectsContinue,
      limits: this.#options.limits,
      onAnswer,
      ...(upgrade === undefined
        ? {}
        : {
            onUpgrade: (answer, socket, head) =>
              this.#tunnels.open({ ...upgrade, response }, { answer, socket, head }, [
                'Via',
                formatVia(answer.httpVersion),
              ]),
          }),
    };
  }

  #headersFor(visit: Visit, sending: Sending): string[] {
    const { headers, method, target, hasBody } = visit;
    const sent = forwardedHeaders(headers, visit.client);
    if (headers.transferEncoding !== undefined) sent.push('Transfer-Encoding', 'chunked');
    else if (!hasBody && headers.contentLength === undefined && mayHaveBody(method)) {
      sent.push('Content-Length', '0');
    }
    if (visit.expectsContinue) sent.push('Expect', '100-continue');
    if (visit.upgrade !== undefined) {
      sent.push('Connection', 'Upgrade', 'Upgrade', headers.upgrade ?? '');
    }
    if (sending.go === 'local') return sent;
    const { view, secret } = this.#options;
    const host = headers.hosts[0] ?? '';
    sent.push('Skein-Hop', formatHop(view.nodeName, { method, target, host }, secret));
    if (headers.isDebug) sent.push('Skein-Debug', '1');
    return sent;
  }

  /** What a client may ask to see: where its request went, and where the node stood. */
  #debugHeaders({ headers, question }: Visit, route: Route, waitedMs: number): string[] {
    const { debug, view, database } = this.#options;
    if (!headers.isDebug || !debug) return [];
    const databases = database === undefined ? question.wanted.byDatabase.keys() : [database];
    const parts = [
      `node=${encodeURIComponent(view.nodeName)}`,
      `role=${view.role}`,
      `route=${route}`,
      `waited=${Math.round(waitedMs)}ms`,
      `position=${formatPositions(positionsOf(view, [...databases]))}`,
    ];
    return ['Skein-Debug', parts.join('; ')];
  }

  #answerHealth({ response }: Visit): void {
    const { view, maxLagMs } = this.#options;
    this.#count('health');
    const isLate = maxLagMs > 0 && view.lagMs > maxLagMs;
    sendAnswer(
      response,
      isLate
        ? { status: 503, message: `Replication lag exceeded: ${Math.round(view.lagMs)} ms` }
        : { status: 200, message: 'OK' },
    );
  }

  #refuse(visit: Visit, answer: ReturnType<typeof notExecuted>): void {
    this.#count('refuse');
    this.#metrics.notExecuted.add(1);
    const { method, path } = visit;
    this.#options.log.debug('Refused a request', { method, path, reason: answer.message });
    sendAnswer(visit.response, answer, this.#debugHeaders(visit, 'refuse', 0));
  }

  #lost(visit: Visit, error: Error): void {
    this.#metrics.unknown.add(1);
    const { method, path } = visit;
    this.#options.log.warn('A request was sent and not answered', {
      method,
      path,
      error: error.message,
    });
    sendAnswer(visit.response, unknownOutcome('The request was sent, and no answer came'));
  }

  #logForwarded(visit: Visit, to: PrimaryNode, answer: AnswerHead, times: Times): void {
    if (visit.kind !== 'write') return;
    const { log, clock } = this.#options;
    const { method, path } = visit;
    const ms = Math.round(clock.monotonicMs() - times.arrivedMs);
    log.debug('Forwarded a write', { method, path, to: to.name, status: answer.statusCode, ms });
  }

  #count(route: Route): void {
    this.#metrics.requests[route].add(1);
  }
}

interface Times {
  readonly arrivedMs: number;
  readonly waitedMs: number;
}

/** Undefined: there is none. */
type Body = Buffer | 'streams' | undefined;

interface Attempt {
  readonly sending: Sending;
  readonly body: Body;
  readonly times: Times;
  /** The first one was lost. */
  readonly isRepeat: boolean;
}

/** Whether sending it twice does what sending it once does, and it is all still there. */
function isRepeatable({ kind, hasBody, method, upgrade }: Visit): boolean {
  const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  return isRead && kind !== 'write' && !hasBody && upgrade === undefined;
}

/** Without a length a request with such a method has no body; Node would begin a chunked one. */
function mayHaveBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function unreachable(sending: Sending, error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  const whom = sending.go === 'local' ? 'the app' : `the primary ${sending.primary.name}`;
  return `Cannot reach ${whom}: ${code}`;
}

/** Aborted when the client has left. */
function signalOf({ response }: Visit): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

/** Many may follow each other in the life of a request: nothing of one stays. */
async function pause({ response }: Visit): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  response.once('close', stop);
  await sleep(RETRY_MS, undefined, { signal: controller.signal }).catch(() => {
    // The client has left; whoever waits looks for that.
  });
  response.off('close', stop);
}
