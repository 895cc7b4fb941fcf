// Sends a request that is at hand as a whole, and its answer to the client: what relay() does, for
// nearly all that is asked, in a third of the time. Everything else is for relay().

import type { ServerResponse } from 'node:http';

import {
  AnswerFormatError,
  type AnswerHandler,
  type AnswerHead,
  AnswerParser,
} from './answer-parser.ts';
import type { KeptConnection } from './kept-connections.ts';
import { addTrailers, NoAnswer, type Passage, type RelayResult } from './relay.ts';
import { isConnectError } from './upstream.ts';

export interface WholePassage extends Pick<
  Passage,
  'request' | 'response' | 'target' | 'headers' | 'limits' | 'onAnswer'
> {
  /** The body, with a length in the headers; undefined: there is none. */
  readonly body: Buffer | undefined;
  /** Whether the connection may be used again. */
  readonly isKept: boolean;
}

/** Never rejects but for a bug in `onAnswer`. */
export function relayWhole(
  passage: WholePassage,
  connection: KeptConnection,
): Promise<RelayResult> {
  return new Promise((resolve, reject) => {
    new WholeRelay(passage, connection, resolve, reject).start();
  });
}

interface End {
  readonly trailers: readonly string[];
  readonly isReusable: boolean;
}

class WholeRelay implements AnswerHandler {
  readonly #passage: WholePassage;
  readonly #response: ServerResponse;
  readonly #connection: KeptConnection;
  readonly #parser: AnswerParser;
  readonly #resolve: (result: RelayResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onGone = (): void => this.#clientClosed();
  /** Of the body: not written yet, because the head waits, or because they may be the last. */
  #unsent: Buffer[] = [];
  /** The answer was whole. */
  #end: End | undefined;
  /** There is an answer; it may still be held. */
  #isAnswered = false;
  /** Its head has gone to the client. */
  #isPassing = false;
  #isOver = false;

  constructor(
    passage: WholePassage,
    connection: KeptConnection,
    resolve: (result: RelayResult) => void,
    reject: (error: unknown) => void,
  ) {
    const { request, response, limits } = passage;
    this.#passage = passage;
    this.#response = response;
    this.#connection = connection;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => connection.destroy(new NoAnswer()), limits.answerMs);
    const isHead = request.method === 'HEAD';
    this.#parser = new AnswerParser({ isHead, headBytesMax: limits.headerBytes }, this);
  }

  start(): void {
    this.#response.once('close', this.#onGone);
    this.#connection.send(requestHead(this.#passage), this.#passage.body, {
      onData: (bytes) => this.#received(bytes),
      onClose: (error) => this.#closed(error),
    });
  }

  onHead(head: AnswerHead): void {
    clearTimeout(this.#timer);
    this.#isAnswered = true;
    const headers = this.#passage.onAnswer(head);
    if (!(headers instanceof Promise)) {
      this.#pass(head, headers);
      return;
    }
    // Nothing of the answer flows while it is held, but for what has come with its head.
    this.#connection.pause();
    headers
      .then((each) => this.#passHeld(head, each))
      .catch((error: unknown) => this.#abandon(error));
  }

  onBody(bytes: Buffer): void {
    if (this.#isPassing) this.#writeUnsent();
    this.#unsent.push(bytes);
  }

  onEnd(trailers: readonly string[], isReusable: boolean): void {
    this.#end = { trailers, isReusable };
    if (this.#isPassing) this.#finish(this.#end);
  }

  #pass({ statusCode, statusMessage }: AnswerHead, headers: readonly string[] | undefined): void {
    this.#resolve({ kind: 'answered', status: statusCode });
    if (headers === undefined) {
      // The client has been answered otherwise.
      this.#leave();
      return;
    }
    this.#response.sendDate = false;
    this.#response.writeHead(statusCode, statusMessage, headers as string[]);
    this.#isPassing = true;
  }

  #passHeld(head: AnswerHead, headers: readonly string[] | undefined): void {
    if (this.#isOver) return;
    this.#pass(head, headers);
    if (!this.#isPassing) return;
    if (this.#end !== undefined) {
      this.#finish(this.#end);
      return;
    }
    this.#connection.resume();
    this.#pushOut();
  }

  #finish({ trailers, isReusable }: End): void {
    this.#isOver = true;
    this.#response.off('close', this.#onGone);
    if (trailers.length > 0) {
      this.#writeUnsent();
      addTrailers(this.#response, trailers);
    }
    const last = this.#unsent.pop();
    this.#writeUnsent();
    this.#response.end(last);
    if (isReusable && this.#passage.isKept) this.#connection.release();
    else this.#connection.destroy();
  }

  #received(bytes: Buffer): void {
    try {
      this.#parser.push(bytes);
    } catch (error) {
      if (error instanceof AnswerFormatError) this.#broken(error);
      else this.#abandon(error);
      return;
    }
    if (!this.#isOver && this.#isPassing) this.#pushOut();
  }

  /** Headers of an answer that takes its time, as of server-sent events, go out at once. */
  #pushOut(): void {
    if (this.#unsent.length === 0) this.#response.flushHeaders();
    else this.#writeUnsent();
  }

  #writeUnsent(): void {
    const unsent = this.#unsent;
    if (unsent.length === 0) return;
    this.#unsent = [];
    let hasRoom = true;
    for (const bytes of unsent) hasRoom = this.#response.write(bytes);
    if (hasRoom) return;
    this.#connection.pause();
    // When it is over, the connection may be somebody else's.
    this.#response.once('drain', () => {
      if (!this.#isOver) this.#connection.resume();
    });
  }

  #closed(error: Error | undefined): void {
    // An answer that is held may be whole, however its connection ends.
    if (this.#isOver || this.#end !== undefined) return;
    if (error === undefined && this.#parser.end()) return;
    this.#broken(error ?? new Error('The connection was closed'));
  }

  /** There is no answer, or only a part of one, which must not look like a whole one. */
  #broken(error: Error): void {
    if (this.#isOver) {
      // Bytes after an answer: it was whole, the connection is not used again.
      this.#connection.destroy();
      return;
    }
    if (this.#end !== undefined) {
      // The same while it is held.
      this.#end = { ...this.#end, isReusable: false };
      return;
    }
    this.#leave();
    if (this.#isAnswered) {
      this.#response.destroy();
      this.#resolve({ kind: 'client-gone' });
    } else {
      this.#resolve({ kind: isConnectError(error) ? 'not-sent' : 'lost', error });
    }
  }

  #clientClosed(): void {
    this.#leave();
    this.#resolve({ kind: 'client-gone' });
  }

  #abandon(error: unknown): void {
    this.#leave();
    this.#reject(error);
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#response.off('close', this.#onGone);
    this.#connection.destroy();
  }
}

/** All parts come from Node's parser or from us: no line can break. */
function requestHead({ request, target, headers, isKept }: WholePassage): string {
  let head = `${request.method} ${target} HTTP/1.1\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}Connection: ${isKept ? 'keep-alive' : 'close'}\r\n\r\n`;
}
