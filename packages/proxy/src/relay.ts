// Sends one request to an app or another proxy, once, and its answer to the client. Both bodies
// stream, as fast as the slower side takes them, with their trailers (RFC 9112, section 7.1.2).
//
// Invariant: after "not-sent" no byte has reached the other side and none of the body was taken
// from the client, so the request can be sent elsewhere. After "lost" nobody knows what became of
// it.

import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';

import type { AnswerHead } from './answer-parser.ts';
import { linger } from './answers.ts';
import type { HostAndPort, ProxyLimits } from './options.ts';
import { isConnectError } from './upstream.ts';

export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: HostAndPort;
  readonly agent: Agent;
  readonly target: string;
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** The client sends its body only when it is told to. */
  readonly expectsContinue: boolean;
  readonly limits: ProxyLimits;
  /**
   * The headers with which an answer goes on to the client. Undefined: the client has been
   * answered otherwise.
   */
  readonly onAnswer: (
    answer: AnswerHead,
  ) => readonly string[] | undefined | Promise<readonly string[] | undefined>;
  /** The other side has switched protocols; the sockets are for the taker. */
  readonly onUpgrade?: (answer: IncomingMessage, socket: Socket, head: Buffer) => void;
}

export type RelayResult =
  /** The headers of the answer have gone to the client; the body follows. */
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'not-sent'; readonly error: Error }
  | { readonly kind: 'lost'; readonly error: Error }
  | { readonly kind: 'client-gone' };

/** An app that does not know of Expect gets the body after a second, as curl does it. */
const CONTINUE_MS = 1000;

/** Never rejects but for a bug in `onAnswer`. */
export function relay(passage: Passage): Promise<RelayResult> {
  return new Promise((resolve, reject) => {
    new Relay(passage, resolve, reject).start();
  });
}

class Relay {
  readonly #passage: Passage;
  readonly #resolve: (result: RelayResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #upstream: ClientRequest;
  readonly #onGone = (): void => this.#clientClosed();
  #isOver = false;
  #isAnswered = false;
  #isBodyTaken = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    passage: Passage,
    resolve: (result: RelayResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.#passage = passage;
    this.#resolve = resolve;
    this.#reject = reject;
    const { to, agent, target, headers, request, limits } = passage;
    this.#upstream = httpRequest({
      agent,
      host: to.host,
      port: to.port,
      method: request.method,
      path: target,
      // With an array Node adds nothing but what frames the body and the connection.
      headers: headers as string[],
      maxHeaderSize: limits.headerBytes,
    });
    // Node would leave out the rest in silence; their size is limited.
    this.#upstream.maxHeadersCount = 0;
  }

  start(): void {
    const upstream = this.#upstream;
    const { response, onUpgrade } = this.#passage;
    response.once('close', this.#onGone);
    upstream.on('error', (error) => this.#fail(error));
    upstream.on('response', (answer) => this.#answered(answer));
    if (onUpgrade !== undefined) {
      upstream.on('upgrade', (answer, socket, head) => {
        this.#finish({ kind: 'answered', status: 101 });
        onUpgrade(answer, socket, head);
      });
    }
    this.#sendBody();
  }

  #sendBody(): void {
    const upstream = this.#upstream;
    const { hasBody, expectsContinue, limits, response } = this.#passage;
    if (!hasBody) {
      this.#timer = setTimeout(() => upstream.destroy(new NoAnswer()), limits.answerMs);
      upstream.end();
      return;
    }
    // Nothing of the body is taken before there is a connection for it.
    const begin = (): void => (expectsContinue ? this.#askForBody() : this.#takeBody());
    upstream.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', begin);
      else begin();
    });
    if (!expectsContinue) return;
    upstream.once('continue', () => {
      response.writeContinue();
      this.#takeBody();
    });
    upstream.flushHeaders();
  }

  #askForBody(): void {
    this.#timer = setTimeout(() => {
      if (!this.#isBodyTaken) this.#passage.response.writeContinue();
      this.#takeBody();
    }, CONTINUE_MS);
  }

  #takeBody(): void {
    if (this.#isBodyTaken || this.#isOver) return;
    this.#isBodyTaken = true;
    clearTimeout(this.#timer);
    const upstream = this.#upstream;
    const { request, limits } = this.#passage;
    // Node ends a connection that stands still for so long; its 'close' is seen here.
    request.socket.setTimeout(limits.bodyStallMs);
    request.pipe(upstream, { end: false });
    request.once('end', () => {
      request.socket.setTimeout(0);
      if (upstream.destroyed) return;
      addTrailers(upstream, request.rawTrailers);
      if (!this.#isAnswered) {
        this.#timer = setTimeout(() => upstream.destroy(new NoAnswer()), limits.answerMs);
      }
      upstream.end();
    });
  }

  #answered(answer: IncomingMessage): void {
    clearTimeout(this.#timer);
    this.#isAnswered = true;
    let headers: ReturnType<Passage['onAnswer']>;
    try {
      headers = this.#passage.onAnswer(headOf(answer));
    } catch (error) {
      this.#abandon(error);
      return;
    }
    if (headers instanceof Promise) {
      // Nothing of the answer flows while it is held.
      headers.then(
        (each) => this.#pass(answer, each),
        (error: unknown) => this.#abandon(error),
      );
    } else {
      this.#pass(answer, headers);
    }
  }

  #pass(answer: IncomingMessage, headers: readonly string[] | undefined): void {
    if (this.#isOver) return;
    const status = answer.statusCode!;
    this.#finish({ kind: 'answered', status });
    const { request, response, expectsContinue } = this.#passage;
    if (headers === undefined) {
      this.#upstream.destroy();
      return;
    }
    if (answer.destroyed) {
      // It broke off while it was held.
      response.destroy();
      return;
    }
    response.once('close', () => {
      if (!answer.complete) this.#upstream.destroy();
    });
    // A body that was not asked for may come or not: the connection cannot go on.
    const isUnread = expectsContinue && !this.#isBodyTaken;
    const sent = isUnread ? [...headers, 'Connection', 'close'] : headers;
    response.sendDate = false;
    response.writeHead(status, answer.statusMessage, sent as string[]);
    passBody(answer, response, () => {
      if (request.complete) return;
      request.unpipe(this.#upstream);
      linger(response);
    });
  }

  #fail(error: Error): void {
    // The answer came first, and whole or not, it is what the client gets.
    if (this.#isAnswered) return;
    const kind = isConnectError(error) ? 'not-sent' : 'lost';
    this.#finish({ kind, error });
  }

  #clientClosed(): void {
    this.#upstream.destroy();
    this.#finish({ kind: 'client-gone' });
  }

  #abandon(error: unknown): void {
    this.#upstream.destroy();
    this.#isOver = true;
    this.#reject(error);
  }

  #finish(result: RelayResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#passage.response.off('close', this.#onGone);
    this.#resolve(result);
  }
}

function headOf(answer: IncomingMessage): AnswerHead {
  const { statusCode = 0, statusMessage = '', httpVersion, rawHeaders } = answer;
  return { statusCode, statusMessage, httpVersion, rawHeaders };
}

/** `onEnd` is called when the whole answer has been given to the socket of the client. */
function passBody(answer: IncomingMessage, response: ServerResponse, onEnd: () => void): void {
  let hasBegun = false;
  answer.on('data', (chunk: Buffer) => {
    hasBegun = true;
    if (response.write(chunk)) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  });
  answer.once('end', () => {
    hasBegun = true;
    addTrailers(response, answer.rawTrailers);
    response.end();
    onEnd();
  });
  // An answer that broke off must not look like one that ended.
  answer.once('error', () => response.destroy());
  // Headers of an answer that takes its time, as of server-sent events, go out at once; else they
  // go with the first piece of the body.
  setImmediate(() => {
    if (!hasBegun && !response.destroyed) response.flushHeaders();
  });
}

export function addTrailers(message: OutgoingMessage, raw: readonly string[]): void {
  if (raw.length > 0) message.addTrailers(pairsOf(raw));
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]!, raw[i + 1]!]);
  return pairs;
}

/** The other side has taken too long. */
export class NoAnswer extends Error {
  constructor() {
    super('No answer in time');
  }
}
