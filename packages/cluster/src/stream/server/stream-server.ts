// The primary's side of replication: takes HTTP/2 connections, admits replicas, and serves each on
// its own. A replica that is slow, or does not read at all, costs one batch of memory and slows
// nobody.
//
// One request a connection. Who does not get as far as a stream within the time for a handshake is
// cut off, so that half-open connections and requests that come byte by byte end by themselves.

import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Clock, Counter, Gauge, Log, Metrics } from '@skein/host';

import { ReplicationError } from '../../errors.ts';
import { findAhead } from '../../node/positions.ts';
import type { LogCursor, LogItem, LogSource } from '../../ports.ts';
import type { ClientDecoder } from '../../wire/client-decoder.ts';
import { Complaints } from '../complaints.ts';
import {
  answerHeaders,
  maybeParseResume,
  type StreamPeer,
  type ResumePoint,
  signedParts,
  STREAM_PATH,
  textOf,
} from '../hello.ts';
import { STREAM_TIMING, type StreamTiming } from '../timing.ts';
import { admit, type AdmissionOptions, identify, nameOf } from './admission.ts';
import { readPositions } from './read-positions.ts';
import { refuse, statusOf } from './refusal.ts';
import { ProgressWaiters, type ReplicaPosition, type ReplicaTarget } from './replica-progress.ts';
import { ReplicaStream, sendFailure } from './replica-stream.ts';

export interface StreamServerOptions extends AdmissionOptions {
  readonly source: LogSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timing?: StreamTiming;
  /** A replica connected, caught up, got further with a database, or was lost. */
  readonly onChange?: () => void;
}

/** A replica that is connected. */
export interface ReplicaStatus {
  readonly hello: StreamPeer;
  readonly address: string;
  readonly connectedMs: number;
  /** Whether it has had, once, all that there was. */
  readonly isCaughtUp: boolean;
  /** Of a LiteFS: what it had when it connected. */
  readonly positions: ReadonlyMap<string, ReplicaPosition>;
  /** A database of which it came with more than there is here; undefined: there is none. */
  readonly aheadIn: string | undefined;
}

/** More nodes than a cluster has; each connection takes some memory. */
const CONNECTIONS_MAX = 256;

/** Our headers have some hundred bytes, those of proxies some thousand. */
const HEADER_BYTES_MAX = 16 * 1024;

/** Streams have a second to end in order. */
const CLOSE_MS = 1000;

/** A peer that was admitted. */
interface Connected {
  readonly stream: ServerHttp2Stream;
  readonly hello: StreamPeer;
  /** Has read the position map. */
  readonly decoder: ClientDecoder;
  readonly resume: ResumePoint | undefined;
  readonly address: string;
  readonly path: string;
}

interface Peer {
  readonly stream: ReplicaStream;
  readonly address: string;
  readonly connectedMs: number;
  readonly aheadIn: string | undefined;
}

export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #timing: StreamTiming;
  readonly #http: Http2Server;
  readonly #complaints: Complaints;
  readonly #sessions = new Map<Http2Session, NodeJS.Timeout>();
  readonly #sockets = new Set<Socket>();
  readonly #peers = new Set<Peer>();
  readonly #waiters = new ProgressWaiters();
  readonly #figures: Figures;
  #isClosed = false;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#timing = options.timing ?? STREAM_TIMING;
    this.#complaints = new Complaints({ side: 'primary', ...options });
    this.#figures = createFigures(options.metrics);
    this.#http = createServer({
      maxSessionInvalidFrames: 10,
      settings: {
        enablePush: false,
        maxConcurrentStreams: 1,
        maxHeaderListSize: HEADER_BYTES_MAX,
      },
    });
    this.#http.on('session', (session) => this.#onSession(session));
    this.#http.on('stream', (stream, headers) => this.#onStream(stream, headers));
    this.#http.on('sessionError', () => undefined);
  }

  /** Takes a connection whose other side speaks HTTP/2; what of it was read must be unshifted. */
  accept(socket: Socket): void {
    if (this.#isClosed || this.#sessions.size >= CONNECTIONS_MAX) {
      if (!this.#isClosed) this.#complain(tooMany(), socket.remoteAddress ?? '');
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    // Sockets of node:http stay half open; a peer that has ended its side of HTTP/2 has left.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    this.#http.emit('connection', socket);
  }

  /** Somebody did not get as far as a connection. */
  complain(error: ReplicationError, address: string): void {
    this.#complain(error, address);
  }

  get replicas(): readonly ReplicaStatus[] {
    return [...this.#peers].map(({ stream, address, connectedMs, aheadIn }) => ({
      hello: stream.hello,
      address,
      connectedMs,
      aheadIn,
      isCaughtUp: stream.isCaughtUp,
      positions: stream.progress.positions,
    }));
  }

  /**
   * Waits until so many replicas have so much. False when the signal comes first. LiteFS's replicas
   * acknowledge nothing and do not count.
   */
  waitForReplicas(target: ReplicaTarget, signal: AbortSignal): Promise<boolean> {
    return this.#waiters.wait(target, () => this.#progress(), signal);
  }

  /** Ends all streams in order, and keeps taking connections: the node is not primary any more. */
  endStreams(): void {
    for (const { stream } of this.#peers) stream.end();
  }

  /** Ends all streams and connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.endStreams();
    const sockets = [...this.#sockets];
    const closed = sockets.map((socket) => new Promise((done) => socket.once('close', done)));
    // A session that is closing waits for what the peer does not read.
    const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_MS);
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #onSession(session: ServerHttp2Session): void {
    const { handshakeMs } = this.#timing;
    const deadline = setTimeout(() => {
      const message = `Cannot serve: no request came within ${handshakeMs / 1000} s`;
      this.#complain(
        new ReplicationError('PEER_SILENT', message),
        session.socket.remoteAddress ?? '',
      );
      session.destroy();
    }, handshakeMs);
    this.#sessions.set(session, deadline);
    session.on('error', () => undefined);
    session.on('close', () => {
      clearTimeout(this.#sessions.get(session));
      this.#sessions.delete(session);
    });
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const address = stream.session?.socket.remoteAddress ?? '';
    stream.on('error', () => undefined);
    // The connection is for one request; it ends with its stream.
    const { session } = stream;
    stream.on('close', () => session?.close());
    // What #serve() throws is a bug, and ends the process.
    void this.#serve(stream, { headers, address });
  }

  async #serve(
    stream: ServerHttp2Stream,
    { headers, address }: { readonly headers: IncomingHttpHeaders; readonly address: string },
  ): Promise<void> {
    const { method, path } = requestLine(headers);
    if (path.split('?')[0] !== STREAM_PATH || method !== 'POST') {
      stream.respond({ ':status': path.startsWith(STREAM_PATH) ? 405 : 404 }, { endStream: true });
      stream.close();
      return;
    }
    let hello: StreamPeer | undefined;
    let decoder: ClientDecoder;
    let resume: ResumePoint | undefined;
    try {
      hello = identify({ headers, path, address }, this.#options);
      admit(hello, this.#options);
      resume = maybeParseResume(headers);
      decoder = await readPositions(stream, hello.dialect);
      // The map took its time.
      admit(hello, this.#options);
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      this.#complain(error, hello === undefined ? address : `${nameOf(hello)} (${address})`);
      const self = hello && this.#answer(statusOf(error), hello, headers);
      refuse(stream, error, self ?? {});
      return;
    }
    if (stream.destroyed) return;
    clearTimeout(this.#sessions.get(stream.session!));
    stream.respond({ ':status': 200, ...this.#answer(200, hello, headers) });
    await this.#follow({ stream, hello, decoder, resume, address, path });
  }

  #open({ hello, decoder, resume, path }: Connected): LogCursor {
    return this.#options.source.follow(decoder.positions!, {
      takesRanges: hello.dialect === 'skein',
      ...maybe('databases', maybeParseFilter(path)),
      ...maybe('resume', resume),
    });
  }

  async #follow(connected: Connected): Promise<void> {
    const { stream, hello, decoder, resume, address } = connected;
    const { clock, log } = this.#options;
    let cursor: LogCursor;
    try {
      cursor = this.#open(connected);
    } catch (error) {
      this.#complain(sendFailure(error), `${nameOf(hello)} (${address})`);
      stream.destroy();
      return;
    }
    const replica = new ReplicaStream({
      stream,
      hello,
      decoder,
      cursor,
      resume,
      clock,
      timing: this.#timing,
      onSent: (item) => this.#onSent(item, replica),
      onProgress: () => this.#onProgress(),
    });
    const aheadIn = findAhead(this.#options.source.positions(), decoder.positions!);
    const peer: Peer = { stream: replica, address, connectedMs: clock.wallMs(), aheadIn };
    this.#replaceEarlier(hello.nodeId);
    this.#peers.add(peer);
    this.#figures.replicas.set(this.#peers.size);
    const fields = { replica: nameOf(hello), address, protocol: hello.dialect };
    log.info('Replica connected', fields);
    if (aheadIn !== undefined) {
      log.warn('A replica came with transactions that this node, the primary, does not have', {
        ...fields,
        database: aheadIn,
      });
    }
    this.#options.onChange?.();
    const failure = await replica.run();
    this.#peers.delete(peer);
    this.#figures.replicas.set(this.#peers.size);
    log.info('Replica lost', { ...fields, reason: failure?.message ?? 'the stream ended' });
    if (failure !== undefined) this.#complain(failure, `${nameOf(hello)} (${address})`);
    this.#onProgress();
  }

  /** A node that connects again has lost its earlier connection, whatever TCP says. */
  #replaceEarlier(nodeId: bigint): void {
    for (const { stream } of this.#peers) {
      if (stream.hello.nodeId === nodeId) stream.end();
    }
  }

  #onSent(item: LogItem, replica: ReplicaStream): void {
    const { log, onChange } = this.#options;
    if (item.kind === 'caught-up') {
      log.info('Replica caught up', { replica: nameOf(replica.hello) });
      onChange?.();
    } else if (item.kind === 'transactions') {
      this.#figures.transactions.add(item.transactions.length);
      this.#figures.bytes.add(item.transactions.reduce((sum, { bytes }) => sum + bytes.length, 0));
    } else if (item.kind === 'file') {
      this.#figures.files.add(1);
    }
  }

  #onProgress(): void {
    this.#waiters.notify(this.#progress());
    this.#options.onChange?.();
  }

  *#progress(): Generator<ReplicaStream['progress']> {
    for (const { stream } of this.#peers) {
      if (stream.hello.dialect === 'skein') yield stream.progress;
    }
  }

  /** Who we are, signed if the peer is a node of Skein. */
  #answer(status: number, hello: StreamPeer, request: IncomingHttpHeaders): Record<string, string> {
    const headers = answerHeaders(this.#options.self(), hello.dialect);
    const signature = textOf(request, 'skein-auth');
    const { authenticator } = this.#options;
    if (hello.dialect === 'litefs' || authenticator === undefined || signature === undefined) {
      return headers;
    }
    const parts = signedParts([String(status)], headers);
    return { ...headers, 'skein-auth': authenticator.signAnswer(signature, parts) };
  }

  #complain(error: ReplicationError, peer: string): void {
    this.#complaints.report('Stream of a replica refused or lost', error, peer);
  }
}

interface Figures {
  readonly replicas: Gauge;
  readonly transactions: Counter;
  readonly files: Counter;
  readonly bytes: Counter;
}

function createFigures(metrics: Metrics): Figures {
  const { counter, gauge } = {
    counter: metrics.counter.bind(metrics),
    gauge: metrics.gauge.bind(metrics),
  };
  return {
    replicas: gauge('skein_stream_replicas', 'Replicas that are connected'),
    transactions: counter(
      'skein_stream_sent_transactions_total',
      'Transactions sent to replicas, counted for each of them',
    ),
    files: counter('skein_stream_sent_files_total', 'Snapshots and large files sent to replicas'),
    bytes: counter('skein_stream_sent_bytes_total', 'Size of the transactions sent to replicas'),
  };
}

function requestLine(headers: IncomingHttpHeaders): {
  readonly method: string;
  readonly path: string;
} {
  const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH } = constants;
  return {
    method: textOf(headers, HTTP2_HEADER_METHOD) ?? '',
    path: textOf(headers, HTTP2_HEADER_PATH) ?? '',
  };
}

/** `filter=a,b`, as LiteFS writes it. */
function maybeParseFilter(path: string): ReadonlySet<string> | undefined {
  const filter = new URL(path, 'http://node').searchParams.get('filter');
  return filter === null || filter === '' ? undefined : new Set(filter.split(','));
}

function tooMany(): ReplicationError {
  const message = `Cannot serve: ${CONNECTIONS_MAX} peers are connected`;
  return new ReplicationError('STREAM_TOO_MANY', message);
}

/** An optional field that is left out when there is nothing to say. */
function maybe<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
