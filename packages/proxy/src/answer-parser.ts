// Parses answers of HTTP/1.1 servers (RFC 9112) to reads, which are nearly all that a proxy sends:
// Node's own client costs more than the rest of the proxy together (bench/proxy.ts).
//
// Strict: what a server may not send is refused, not guessed at. Two parties that guess differently
// where an answer ends would hand one client the answer of another.
//
// Invariant: onHead, then onBody any number of times, then onEnd, wherever the bytes are cut.

export interface AnswerHead {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly httpVersion: string;
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[];
}

export interface AnswerHandler {
  onHead(head: AnswerHead): void;
  /** Bytes of the body, which belong to the receiver. */
  onBody(bytes: Buffer): void;
  /** `isReusable`: another request may be sent on the connection. */
  onEnd(trailers: readonly string[], isReusable: boolean): void;
}

export interface AnswerParserOptions {
  /** Answers to HEAD have no body, whatever they say of it. */
  readonly isHead: boolean;
  /** Of the headers, and of the trailers. */
  readonly headBytesMax: number;
}

type State =
  | 'head'
  | 'fixed'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailers'
  | 'done';

const STATUS_LINE = /^HTTP\/(?<version>1\.[01]) (?<status>[1-5]\d\d)(?: (?<message>.*))?$/;
const FIELD = /^(?<name>[!#$%&'*+\-.^_`|~\w]+):[ \t]*(?<value>[\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const MESSAGE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^\d{1,15}$/;
/** The size of a chunk, up to 4 GiB, and extensions, which mean nothing to anybody. */
const CHUNK_SIZE = /^(?<size>[0-9a-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
const CHUNK_LINE_MAX = 1024;
const EMPTY = Buffer.alloc(0);

/** For one answer. */
export class AnswerParser {
  readonly #handler: AnswerHandler;
  readonly #options: AnswerParserOptions;
  #state: State = 'head';
  /** Of a line or a head that is not whole yet. */
  #rest: Buffer = EMPTY;
  /** What is missing of the body or the chunk. */
  #missingBytes = 0;
  #isReusable = false;

  constructor(options: AnswerParserOptions, handler: AnswerHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  /** Throws AnswerFormatError. */
  push(bytes: Buffer): void {
    let input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = EMPTY;
    while (input.length > 0) {
      const used = this.#step(input);
      // More is needed to go on.
      if (used === 0) {
        this.#rest = input;
        return;
      }
      input = input.subarray(used);
    }
  }

  /** The connection has ended. Whether that was the end of the answer; if so, onEnd was called. */
  end(): boolean {
    if (this.#state === 'until-close') this.#finish([]);
    return this.#state === 'done';
  }

  /** Takes what it can; how many bytes that was. */
  #step(input: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(input);
      case 'fixed':
      case 'chunk-data':
        return this.#takeBody(input);
      case 'until-close':
        this.#handler.onBody(input);
        return input.length;
      case 'chunk-size':
        return this.#takeChunkSize(input);
      case 'chunk-end':
        return this.#takeChunkEnd(input);
      case 'trailers':
        return this.#takeTrailers(input);
      case 'done':
        throw new AnswerFormatError('Bytes after the end');
    }
  }

  #takeHead(input: Buffer): number {
    const end = this.#endOf('\r\n\r\n', input, this.#options.headBytesMax);
    if (end === -1) return 0;
    const [first = '', ...lines] = input.toString('latin1', 0, end).split('\r\n');
    const { version = '', status, message = '' } = STATUS_LINE.exec(first)?.groups ?? {};
    if (status === undefined || !MESSAGE.test(message)) {
      throw new AnswerFormatError('A status line that is none');
    }
    const statusCode = Number(status);
    // One that switches protocols was not asked to. All others only come before the answer.
    if (statusCode === 101) throw new AnswerFormatError('A switch of protocols');
    if (statusCode < 200) return end + 4;
    const rawHeaders = readFields(lines);
    const framing = readFraming(rawHeaders);
    this.#isReusable = version === '1.1' && !framing.isLast;
    this.#handler.onHead({ statusCode, statusMessage: message, httpVersion: version, rawHeaders });
    this.#beginBody(statusCode, framing);
    return end + 4;
  }

  /** RFC 9112, section 6.3. */
  #beginBody(status: number, { length, isChunked }: Framing): void {
    const hasNone = this.#options.isHead || status === 204 || status === 304;
    if (hasNone || length === 0) return this.#finish([]);
    if (isChunked) {
      this.#state = 'chunk-size';
    } else if (length === undefined) {
      this.#isReusable = false;
      this.#state = 'until-close';
    } else {
      this.#missingBytes = length;
      this.#state = 'fixed';
    }
  }

  #takeBody(input: Buffer): number {
    const used = Math.min(input.length, this.#missingBytes);
    this.#missingBytes -= used;
    this.#handler.onBody(used === input.length ? input : input.subarray(0, used));
    if (this.#missingBytes > 0) return used;
    if (this.#state === 'chunk-data') this.#state = 'chunk-end';
    else this.#finish([]);
    return used;
  }

  #takeChunkSize(input: Buffer): number {
    const end = this.#endOf('\r\n', input, CHUNK_LINE_MAX);
    if (end === -1) return 0;
    const size = CHUNK_SIZE.exec(input.toString('latin1', 0, end))?.groups?.['size'];
    if (size === undefined) throw new AnswerFormatError('A chunk without a size');
    this.#missingBytes = Number.parseInt(size, 16);
    this.#state = this.#missingBytes === 0 ? 'trailers' : 'chunk-data';
    return end + 2;
  }

  #takeChunkEnd(input: Buffer): number {
    if (input.length < 2) return 0;
    if (input[0] !== 0x0d || input[1] !== 0x0a) {
      throw new AnswerFormatError('A chunk that is longer than it says');
    }
    this.#state = 'chunk-size';
    return 2;
  }

  /** Lines until an empty one, which mostly is the first. */
  #takeTrailers(input: Buffer): number {
    if (input[0] === 0x0d && (input.length < 2 || input[1] === 0x0a)) {
      if (input.length < 2) return 0;
      this.#finish([]);
      return 2;
    }
    const end = this.#endOf('\r\n\r\n', input, this.#options.headBytesMax);
    if (end === -1) return 0;
    this.#finish(readFields(input.toString('latin1', 0, end).split('\r\n')));
    return end + 4;
  }

  #finish(trailers: readonly string[]): void {
    this.#state = 'done';
    this.#handler.onEnd(trailers, this.#isReusable);
  }

  #endOf(mark: string, input: Buffer, bytesMax: number): number {
    const end = input.indexOf(mark, 0, 'latin1');
    if ((end === -1 ? input.length : end) > bytesMax) {
      throw new AnswerFormatError('A line or a head that is too long');
    }
    return end;
  }
}

/** What a server may not send. */
export class AnswerFormatError extends Error {
  override readonly name = 'AnswerFormatError';
}

interface Framing {
  readonly length: number | undefined;
  readonly isChunked: boolean;
  /** The server closes the connection after this answer. */
  readonly isLast: boolean;
}

function readFields(lines: readonly string[]): string[] {
  const fields: string[] = [];
  for (const line of lines) {
    const { name, value } = FIELD.exec(line)?.groups ?? {};
    if (name === undefined) throw new AnswerFormatError('A header that is none');
    fields.push(name, value!);
  }
  return fields;
}

function readFraming(rawHeaders: readonly string[]): Framing {
  let length: number | undefined;
  let isChunked = false;
  let isLast = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1]!;
    switch (rawHeaders[i]!.toLowerCase()) {
      case 'content-length':
        if (length !== undefined || !LENGTH.test(value)) {
          throw new AnswerFormatError('A length that is none, or several');
        }
        length = Number(value);
        break;
      case 'transfer-encoding':
        if (isChunked || value.toLowerCase() !== 'chunked') {
          throw new AnswerFormatError('A transfer coding other than chunked');
        }
        isChunked = true;
        break;
      case 'connection':
        isLast ||= /\bclose\b/i.test(value);
        break;
      default:
    }
  }
  if (isChunked && length !== undefined) throw new AnswerFormatError('A length, and chunks');
  return { length, isChunked, isLast };
}
