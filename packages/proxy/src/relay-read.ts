// Sends a read without a body and its answer to the client: what relay() does, for what is asked
// most, in a third of the time. Everything else is for relay().

import type { ServerResponse } from 'node:http';

import { assert } from '@skein/bytes';

import {
  AnswerFormatError,
  type AnswerHandler,
  type AnswerHead,
  AnswerParser,
} from './answer-parser.ts';
import type { ReadConnection, ReadConnections } from './read-connections.ts';
import { addTrailers, NoAnswer, type Passage, type RelayResult } from './relay.ts';
import { isConnectError } from './upstream.ts';

export type ReadPassage = Pick<
  Passage,
  'request' | 'response' | 'to' | 'target' | 'headers' | 'limits' | 'onAnswer'
>;

/** Never rejects but for a bug in `onAnswer`. */
export function relayRead(
  passage: ReadPassage,
  connections: ReadConnections,
): Promise<RelayResult> {
  return new Promise((resolve, reject) => {
    new ReadRelay(passage, connections.take(passage.to), resolve, reject).start();
  });
}

class ReadRelay implements AnswerHandler {
  readonly #passage: ReadPassage;
  readonly #response: ServerResponse;
  readonly #connection: ReadConnection;
  readonly #parser: AnswerParser;
  readonly #resolve: (result: RelayResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onGone = (): void => this.#clientClosed();
  /** Held until it is known whether it is the last: then it goes out with the end. */
  #held: Buffer | undefined;
  #isAnswered = false;
  #isOver = false;

  constructor(
    passage: ReadPassage,
    connection: ReadConnection,
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
    this.#connection.send(requestHead(this.#passage), {
      onData: (bytes) => this.#received(bytes),
      onClose: (error) => this.#closed(error),
    });
  }

  onHead(head: AnswerHead): void {
    clearTimeout(this.#timer);
    const headers = this.#passage.onAnswer(head);
    assert(headers !== undefined && !(headers instanceof Promise), 'Answers to reads are not held');
    this.#response.sendDate = false;
    this.#response.writeHead(head.statusCode, head.statusMessage, headers as string[]);
    this.#isAnswered = true;
    this.#resolve({ kind: 'answered', status: head.statusCode });
  }

  onBody(bytes: Buffer): void {
    this.#writeHeld();
    this.#held = bytes;
  }

  onEnd(trailers: readonly string[], isReusable: boolean): void {
    this.#isOver = true;
    this.#response.off('close', this.#onGone);
    if (trailers.length > 0) {
      this.#writeHeld();
      addTrailers(this.#response, trailers);
    }
    this.#response.end(this.#held);
    if (isReusable) this.#connection.release();
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
    if (this.#isOver || !this.#isAnswered) return;
    // Headers of an answer that takes its time, as of server-sent events, go out at once.
    if (this.#held === undefined) this.#response.flushHeaders();
    else this.#writeHeld();
  }

  #writeHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#response.write(held)) return;
    this.#connection.pause();
    this.#response.once('drain', () => this.#connection.resume());
  }

  #closed(error: Error | undefined): void {
    if (this.#isOver) return;
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
    this.#leave();
    if (this.#isAnswered) this.#response.destroy();
    else this.#resolve({ kind: isConnectError(error) ? 'not-sent' : 'lost', error });
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
function requestHead({ request, target, headers }: ReadPassage): string {
  let head = `${request.method} ${target} HTTP/1.1\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}Connection: keep-alive\r\n\r\n`;
}
