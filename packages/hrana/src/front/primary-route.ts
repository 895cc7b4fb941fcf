// The way of a pipeline to the primary: whom to send it to, how long to wait for one, and what an
// answer from there means for the client.

import { HranaError } from '../errors.ts';
import type { ResolvedSqlOptions } from '../options.ts';
import { type Answer, errorAnswer, refusal } from './answers.ts';
import { bodyForPrimary, maybeReadAnswer, NOTHING } from './forwarded-text.ts';
import { type ForwardOptions, forwardPipeline, type ForwardResult } from './forwarder.ts';
import type { Visit } from './visit.ts';

export type PrimaryResult =
  | {
      readonly kind: 'executed';
      readonly url: string;
      readonly baton: string | undefined;
      readonly results: Buffer;
      /** The header that tells where the write has brought its client. */
      readonly position: string | undefined;
    }
  | { readonly kind: 'refused'; readonly answer: Answer };

export interface Sending {
  readonly url: string;
  readonly baton: string | undefined;
  /** Requests that come first, as JSON in a list. */
  readonly before: string;
}

/** Until a node that has just lost its primary has been told of another one. */
const RETRY_MS = 100;
/** A waiting for a lock, and the way there and back. */
const ANSWER_SPARE_MS = 10_000;

export class PrimaryRoute {
  readonly #options: ResolvedSqlOptions;
  readonly #forwarding: ForwardOptions;

  constructor(options: ResolvedSqlOptions) {
    const { view, token, limits } = options;
    this.#options = options;
    this.#forwarding = {
      nodeName: view.name,
      token,
      connectMs: limits.connectMs,
      answerMs: limits.statementMs + limits.busyMs + ANSWER_SPARE_MS,
      answerBytesMax: 2 * limits.responseBytes,
    };
  }

  /** For a new stream. 'here': this node has become primary. Throws HranaError. */
  async begin(visit: Visit, before: string): Promise<PrimaryResult | 'here'> {
    const { view, limits } = this.#options;
    const deadlineMs = performance.now() + limits.primaryWaitMs;
    const leftMs = (): number => deadlineMs - performance.now();
    let reason = 'no primary is known that serves SQL';
    const urlOf = (): string | undefined => view.primary?.sqlUrl;
    const isKnown = (): boolean => view.role === 'primary' || urlOf() !== undefined;
    while (await view.until(isKnown, leftMs())) {
      if (view.role === 'primary') return 'here';
      const url = urlOf()!;
      const result = await this.#attempt(visit, { url, baton: undefined, before });
      if (result.kind !== 'not-executed') return result;
      ({ reason } = result);
      if (leftMs() <= 0) break;
      await view.until(() => urlOf() !== url, Math.min(RETRY_MS, leftMs()));
    }
    throw new HranaError('NO_PRIMARY', `Cannot execute a write: ${reason}`);
  }

  /** For a stream that is there: elsewhere nobody knows it. */
  async send(visit: Visit, sending: Sending): Promise<PrimaryResult> {
    const result = await this.#attempt(visit, sending);
    if (result.kind !== 'not-executed') return result;
    const message = `The transaction is lost with its primary: ${result.reason}`;
    return { kind: 'refused', answer: errorAnswer(new HranaError('NO_PRIMARY', message)) };
  }

  /** As far as the primary can be reached; else it ends the stream by itself. */
  close({ url, baton, database }: Omit<Sending, 'before'> & { readonly database: string }): void {
    const body = Buffer.from(JSON.stringify({ baton, requests: [{ type: 'close' }] }));
    void forwardPipeline({ url, database, body, position: undefined }, this.#forwarding);
  }

  async #attempt(
    { database, body, headers }: Visit,
    { url, baton, before }: Sending,
  ): Promise<PrimaryResult | { readonly kind: 'not-executed'; readonly reason: string }> {
    const carried = headers['skein-position'];
    const forwarded = {
      url,
      database,
      body: bodyForPrimary(body, { baton, before }),
      position: typeof carried === 'string' ? carried : undefined,
    };
    const result = await forwardPipeline(forwarded, this.#forwarding);
    if (result.kind === 'not-sent') {
      return { kind: 'not-executed', reason: `the primary at ${url}: ${result.reason}` };
    }
    if (result.kind === 'unknown') return lost(result.reason);
    return this.#read(result, url, before);
  }

  #read(
    { status, body, position, outcome }: Extract<ForwardResult, { kind: 'answered' }>,
    url: string,
    before: string,
  ): PrimaryResult | { readonly kind: 'not-executed'; readonly reason: string } {
    if (status === 200) {
      const count = before === NOTHING ? 0 : (JSON.parse(before) as unknown[]).length;
      const answer = maybeReadAnswer(body, count);
      if (answer === undefined) return lost('its answer cannot be read');
      return { kind: 'executed', url, position, ...answer };
    }
    if (status === 401) return { kind: 'not-executed', reason: 'the primary has another token' };
    if (status === 503 && outcome === 'not-executed') {
      return { kind: 'not-executed', reason: `the node at ${url} refuses it` };
    }
    // Of something between the nodes that gave up, or of a primary that does not know.
    if (status >= 500) return lost(`it answered with status ${status}`);
    return { kind: 'refused', answer: refusal(status, body.toString()) };
  }
}

function lost(reason: string): PrimaryResult {
  const message = `The primary may have executed it: ${reason}`;
  return { kind: 'refused', answer: errorAnswer(new HranaError('OUTCOME_UNKNOWN', message)) };
}
