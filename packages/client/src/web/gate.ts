// The core of all framework plugins: what becomes of a request before the application sees it. It
// does for an application without a proxy what the proxy does (docs/proxy.md), with the same
// headers, so that both can stand side by side in a cluster.
//
// Where a proxy of Skein has brought the request, everything is decided, and it goes on as it is.
//
// Invariants: a request that was forwarded is not forwarded again; one that may have been sent is
// not sent a second time.

import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import type { PrimaryAddress } from '../errors.ts';
import { notExecuted, unknownOutcome, type WebAnswer } from './answers.ts';
import { send } from './forward.ts';
import {
  answeredHeaders,
  forwardedHeaders,
  readRequestHeaders,
  type RequestHeaders,
} from './headers.ts';
import { maybeHealthAnswer } from './health.ts';
import { isGoingRound, maybeParseHop, passedCount } from './hop.ts';
import { maybeCorrected, writtenPositions } from './node-positions.ts';
import { isReadMethod, type ResolvedOptions } from './options.ts';
import { isNothing, isReached, mergePositions, type Positions } from './positions.ts';
import { carriedPositions, seenHeaders } from './seen.ts';

/** One request, as each framework can tell of it. */
export interface Arrival {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[];
  /** "1.1". */
  readonly httpVersion: string;
  readonly address: string;
  readonly isEncrypted: boolean;
  /** Whether somebody has read of the body, which then cannot be forwarded. */
  readonly isBodyTaken: () => boolean;
  readonly body: () => Readable;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

export type Verdict =
  /** To the application. `seen`: headers to add when those of its answer go out. */
  | { readonly go: 'on'; readonly seen: () => readonly string[] }
  | { readonly go: 'answer'; readonly answer: WebAnswer };

interface Visit extends Arrival {
  readonly headers: RequestHeaders;
  readonly kind: 'read' | 'write';
  /** What the client has seen. */
  readonly wanted: Positions;
}

/** Between attempts to reach a primary that cannot be connected to. */
const RETRY_MS = 100;
const ON: Verdict = { go: 'on', seen: () => [] };

export class Gate {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  async arrive(arrival: Arrival): Promise<Verdict> {
    const { method, target, rawHeaders } = arrival;
    const path = pathOf(target);
    if (isReadMethod(method)) {
      const health = await maybeHealthAnswer(path, this.#options);
      if (health !== undefined) return { go: 'answer', answer: health };
    }
    const kind = this.#options.classify({ method, path });
    if (kind === 'local') return ON;
    const headers = readRequestHeaders(rawHeaders);
    if (isGoingRound(headers.via)) return answer(roundAnswer());
    const isForwarded = this.#isForwarded(arrival, headers);
    if (!isForwarded && passedCount(headers.via) > 0) return ON;
    const visit = { ...arrival, headers, kind, wanted: carriedPositions(headers) };
    if (this.#options.node.isPrimary) return this.#execute(visit);
    if (isForwarded) return answer(roundAnswer());
    return kind === 'read' ? this.#read(visit) : this.#write(visit);
  }

  #isForwarded({ method, target }: Arrival, { hop, host }: RequestHeaders): boolean {
    if (hop === undefined) return false;
    return maybeParseHop(hop, { method, target, host }, this.#options.secret) !== undefined;
  }

  /** By the application here, which is the primary's. */
  #execute(visit: Visit): Verdict {
    const { wanted } = visit;
    const { node, database } = this.#options;
    const tell = (positions: Positions): readonly string[] =>
      isNothing(positions) ? [] : seenHeaders(positions, this.#isSecure(visit));
    if (visit.kind === 'read') {
      const corrected = maybeCorrected(node, wanted);
      return corrected === undefined ? ON : { go: 'on', seen: () => tell(corrected) };
    }
    return {
      go: 'on',
      seen: () => {
        const known = maybeCorrected(node, wanted) ?? wanted;
        return tell(mergePositions(known, writtenPositions(node, database)));
      },
    };
  }

  async #read(visit: Visit): Promise<Verdict> {
    if (await this.#hasSeen(visit)) return ON;
    const verdict = await this.#forward(visit, 0);
    if (verdict !== undefined) return verdict;
    if (this.#options.node.isPrimary) return this.#execute(visit);
    const message = 'This node is behind what you have seen, and there is nobody else to ask';
    return answer(notExecuted({ code: 'POSITION_TIMEOUT', message }));
  }

  async #write(visit: Visit): Promise<Verdict> {
    const { findPrimary, primaryWaitMs, node } = this.#options;
    // The application's own write is refused, with an error that says where the primary is.
    if (findPrimary === undefined) return ON;
    const verdict = await this.#forward(visit, primaryWaitMs);
    if (verdict !== undefined) return verdict;
    if (node.isPrimary) return this.#execute(visit);
    const message = 'Cannot execute a write: no primary is known';
    return answer(notExecuted({ code: 'NO_PRIMARY', message }));
  }

  /** Whether this node has everything that the client has seen, now or after a moment. */
  async #hasSeen({ wanted, signal }: Visit): Promise<boolean> {
    if (wanted.isPartial) return false;
    const { node, waitMs } = this.#options;
    const missing = [...wanted.byDatabase].filter(
      ([database, position]) => !isReached(position, node.state.position(database)),
    );
    if (missing.length === 0) return true;
    const waits = missing.map(([database, position]) =>
      node.waitForPosition(database, position, { timeoutMs: waitMs, signal }),
    );
    return Promise.all(waits).then(
      () => true,
      () => false,
    );
  }

  /**
   * The primary's answer. Tries again for `patienceMs` while nothing was sent; undefined when there
   * is no primary to send it to, or when that is this node by now.
   */
  async #forward(visit: Visit, patienceMs: number): Promise<Verdict | undefined> {
    const { node, findPrimary } = this.#options;
    if (findPrimary === undefined) return undefined;
    const deadlineMs = performance.now() + patienceMs;
    let unreached: PrimaryAddress | undefined;
    while (!node.isPrimary && !visit.signal.aborted) {
      const { primary } = node.state;
      const url = primary === undefined ? undefined : findPrimary(primary);
      if (primary !== undefined && url !== undefined) {
        const sent = await this.#sendTo(new URL(url), primary, visit);
        if (sent !== undefined) return answer(sent);
        unreached = primary;
      }
      if (performance.now() >= deadlineMs) {
        return unreached === undefined ? undefined : answer(unreachable(unreached));
      }
      await sleep(RETRY_MS);
    }
    return undefined;
  }

  /** Undefined when nothing was sent. */
  async #sendTo(to: URL, primary: PrimaryAddress, visit: Visit): Promise<WebAnswer | undefined> {
    const { method, target, headers, httpVersion, address, isEncrypted, signal } = visit;
    const { node, secret, trustForwarded } = this.#options;
    if (headers.hasBody && visit.isBodyTaken()) {
      throw new Error('The body was read before: let the plugin come before what parses bodies');
    }
    const result = await send({
      to,
      method,
      target,
      headers: forwardedHeaders(headers, {
        nodeName: node.state.name,
        method,
        target,
        httpVersion,
        address,
        protocol: isEncrypted ? 'https' : 'http',
        isTrusted: trustForwarded,
        secret,
      }),
      body: headers.hasBody ? visit.body : undefined,
      signal,
    });
    if (result.kind === 'not-sent') return undefined;
    if (result.kind === 'lost') return unknownOutcome(primary);
    const { statusCode, rawHeaders, httpVersion: version } = result.answer;
    return {
      status: statusCode!,
      headers: answeredHeaders(rawHeaders, version),
      body: result.answer,
    };
  }

  #isSecure({ isEncrypted, headers }: Visit): boolean {
    if (isEncrypted) return true;
    return this.#options.trustForwarded && headers.forwardedProto === 'https';
  }
}

function answer(each: WebAnswer): Verdict {
  return { go: 'answer', answer: each };
}

function roundAnswer(): WebAnswer {
  const message = 'Cannot execute what was forwarded: this node is not the primary';
  return notExecuted({ code: 'FORWARD_LOOP', message });
}

function unreachable(primary: PrimaryAddress): WebAnswer {
  const message = `Cannot reach the primary ${primary.name}`;
  return notExecuted({ code: 'PRIMARY_UNREACHABLE', message, primary });
}

function pathOf(target: string): string {
  const [path = ''] = target.split('?', 1);
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
