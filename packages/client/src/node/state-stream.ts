// The connection to a daemon over which it tells what its node is: GET /v1/state/follow on its
// socket, a line of JSON each, until one of the two ends.
//
// A daemon says something every second. One that is silent for longer is taken for gone.

import { type ClientRequest, get, type IncomingMessage } from 'node:http';

import { openSocketPath } from './socket-path.ts';

export interface StateStreamOptions {
  readonly socketPath: string;
  readonly onLine: (line: string) => void;
  /** It is over; called once. */
  readonly onEnd: (error: Error) => void;
}

/** Names and positions of a hundred thousand databases. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;
/** Several times what a daemon under load takes from one line to the next. */
const SILENCE_MS = 15_000;

export class StateStream {
  readonly #options: StateStreamOptions;
  readonly #request: ClientRequest | undefined;
  #rest = '';
  #hasEnded = false;

  constructor(options: StateStreamOptions) {
    this.#options = options;
    this.#request = this.#connect();
  }

  close(): void {
    this.#hasEnded = true;
    this.#request?.destroy();
  }

  #connect(): ClientRequest | undefined {
    let socket;
    try {
      socket = openSocketPath(this.#options.socketPath);
    } catch (error) {
      queueMicrotask(() => this.#end(error as Error));
      return undefined;
    }
    const { path: socketPath, close } = socket;
    const options = { socketPath, path: '/v1/state/follow', agent: false, timeout: SILENCE_MS };
    const request = get(options, (response) => this.#read(response));
    request.once('socket', (connection) => {
      connection.once('connect', close);
      connection.once('close', close);
      // An application that has nothing else to do ends, followed or not.
      connection.unref();
    });
    request.once('timeout', () => request.destroy(new Error('The node says nothing')));
    request.on('error', (error) => this.#end(error));
    return request;
  }

  #read(response: IncomingMessage): void {
    response.once('close', () => this.#end(new Error('The node has ended the connection')));
    response.on('error', (error) => this.#end(error));
    if (response.statusCode !== 200) {
      this.#end(new Error(`The node answers ${response.statusCode}`));
      return;
    }
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    try {
      if (this.#rest.length > LINE_LENGTH_MAX) throw new Error('The node tells too much at once');
      for (const line of lines) if (!this.#hasEnded) this.#options.onLine(line);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    if (this.#hasEnded) return;
    this.close();
    this.#options.onEnd(error);
  }
}
