// Asks a primary for a stream, and makes sure who it is before anything is taken from it.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { AddressList } from '../../auth/address-list.ts';
import type { Authenticator } from '../../auth/authenticator.ts';
import { maybeReplicationErrorCode, ReplicationError } from '../../errors.ts';
import type { PositionMap } from '../../ports.ts';
import { FrameWriter } from '../../wire/frame-writer.ts';
import {
  type NodeHello,
  parseHello,
  type StreamPeer,
  requestHeaders,
  type ResumePoint,
  signedParts,
  STREAM_PATH,
  textOf,
} from '../hello.ts';
import { ERROR_HEADER } from '../server/refusal.ts';
import { maybeTlsError } from '../tls-errors.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import { untilAborted } from '../until-aborted.ts';

export interface ConnectOptions {
  /** Where the primary advertises its API. */
  readonly url: URL;
  readonly self: NodeHello;
  readonly positions: PositionMap;
  readonly databases: ReadonlySet<string> | undefined;
  readonly resume: ResumePoint | undefined;
  /** Undefined: the primary needs no secret. */
  readonly authenticator: Authenticator | undefined;
  /** Where a LiteFS may be the primary; undefined: nowhere. */
  readonly litefs: AddressList | undefined;
  readonly tls: TlsIdentity | undefined;
  readonly handshakeMs: number;
}

export interface Connection {
  readonly socket: Socket;
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly hello: StreamPeer;
}

/** The primary did not grant a stream; who it is, if it could be trusted. */
export class RefusedError extends ReplicationError {
  readonly peer: StreamPeer | undefined;

  constructor(error: ReplicationError, peer: StreamPeer | undefined) {
    super(error.code, error.message, { cause: error.cause, hint: error.hint });
    this.peer = peer;
  }
}

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** What a primary may have under way: at 200 ms of delay this is 20 MB/s. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** HTTP/2 begins with frames of 16 KiB: each is handled on its own. */
const FRAME_BYTES = 64 * 1024;

/** A reason is a line of text. */
const REASON_BYTES_MAX = 4096;

/**
 * Resolves when the primary has granted a stream. Throws ReplicationError, and nothing is left open
 * then.
 */
export async function connect(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.handshakeMs)]);
  const socket = openSocket(options);
  const session = openSession(options.url, socket);
  try {
    return { socket, ...(await request(session, options, deadline)) };
  } catch (error) {
    socket.destroy();
    if (error instanceof ReplicationError || signal.aborted) throw error;
    const tlsError = maybeTlsError(causeOf(error), options.url.host);
    if (tlsError !== undefined) throw tlsError;
    const reason = deadline.aborted
      ? `no answer within ${options.handshakeMs / 1000} s`
      : messageOf(error);
    throw unreachable(options.url, reason, error);
  }
}

/** Ours, not the session's: it can be closed whatever the session still wants to send. */
function openSocket({ url, tls }: ConnectOptions): Socket {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return connectTcp({ host, port: Number(url.port || 80) });
  return connectTls({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ['h2'],
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls === undefined ? {} : { cert: tls.cert, key: tls.key }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  });
}

function openSession(url: URL, socket: Socket): ClientHttp2Session {
  const session = connectHttp2(url.origin, {
    createConnection: () => socket,
    settings: {
      enablePush: false,
      initialWindowSize: WINDOW_BYTES,
      maxFrameSize: FRAME_BYTES,
    },
  });
  session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
  // Errors are told by the stream as well; without a listener they would end the process.
  session.on('error', () => undefined);
  return session;
}

async function request(
  session: ClientHttp2Session,
  options: ConnectOptions,
  deadline: AbortSignal,
): Promise<Omit<Connection, 'socket'>> {
  const { self, resume, authenticator, positions } = options;
  const path = pathOf(options.databases);
  const headers = requestHeaders(self, resume);
  const signature = authenticator?.sign(signedParts(['POST', path], headers));
  // Before the request, which may fail at once.
  const failed = new Promise<never>((_resolve, reject) => session.once('error', reject));
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    ...headers,
    ...(signature === undefined ? {} : { 'skein-auth': signature }),
  });
  stream.on('error', () => undefined);
  const answered = new Promise<Answer>((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(unreachable(options.url, 'the connection was closed')));
  });
  const outcome = Promise.race([answered, failed]);
  const writer = new FrameWriter();
  writer.positionMap(positions);
  stream.write(writer.take());
  const answer = await untilAborted(outcome, deadline);
  const status = answer[':status'];
  if (status !== 200) {
    const reason = await untilAborted(readReason(stream), deadline);
    throw refusedBy(answer, { reason, status, signature, options });
  }
  const hello = trust(answer, { status, signature, options, session });
  // A LiteFS gets its own protocol and nothing else.
  if (hello.dialect === 'litefs') stream.end();
  return { session, stream, hello };
}

interface Exchange {
  readonly status: number | undefined;
  readonly signature: string | undefined;
  readonly options: ConnectOptions;
}

/** Who the primary is. Throws ReplicationError unless it has proved it, or need not. */
function trust(
  answer: Answer,
  exchange: Exchange & { readonly session: ClientHttp2Session },
): StreamPeer {
  const { options, session } = exchange;
  const isLitefs = textOf(answer, 'skein-protocol') === undefined;
  if (isLitefs) {
    const address = session.socket.remoteAddress ?? '';
    if (options.litefs?.has(address) !== true) throw notAllowed(options.url, address);
  } else verify(answer, exchange);
  return parseHello(answer);
}

function verify(answer: Answer, { status, signature, options }: Exchange): void {
  if (options.authenticator === undefined || signature === undefined) return;
  const parts = signedParts([String(status)], withoutError(answer));
  options.authenticator.verifyAnswer(textOf(answer, 'skein-auth'), signature, parts);
}

/** The code of the reason is not signed: it may say more than a node that is no peer may know. */
function withoutError(answer: Answer): Answer {
  const { [ERROR_HEADER]: _code, ...rest } = answer;
  return rest;
}

function refusedBy(answer: Answer, refusal: Exchange & { readonly reason: string }): RefusedError {
  const { status, reason, options } = refusal;
  const code = maybeReplicationErrorCode(textOf(answer, ERROR_HEADER)) ?? codeOf(status);
  const message = `${options.url.host} refuses a stream (status ${status}): ${reason}`;
  return new RefusedError(new ReplicationError(code, message), maybeTrust(answer, refusal));
}

function codeOf(status: number | undefined): 'NOT_PRIMARY' | 'PEER_REFUSED' {
  return status === 503 ? 'NOT_PRIMARY' : 'PEER_REFUSED';
}

function maybeTrust(answer: Answer, exchange: Exchange): StreamPeer | undefined {
  try {
    verify(answer, exchange);
    return parseHello(answer);
  } catch (error) {
    if (error instanceof ReplicationError) return undefined;
    throw error;
  }
}

async function readReason(stream: ClientHttp2Stream): Promise<string> {
  let text = '';
  for await (const bytes of stream) {
    text += (bytes as Buffer).toString('latin1');
    if (text.length > REASON_BYTES_MAX) break;
  }
  // It goes into a message: one line of it, and nothing that a terminal would obey.
  const [line = ''] = text.split('\n');
  return line.replaceAll(/[^\x20-\x7e]/g, '?');
}

function pathOf(databases: ReadonlySet<string> | undefined): string {
  if (databases === undefined) return STREAM_PATH;
  return `${STREAM_PATH}?filter=${[...databases].map(encodeURIComponent).join(',')}`;
}

function notAllowed(url: URL, address: string): ReplicationError {
  const message = `Cannot follow ${url.host}: it is a LiteFS at ${address}, which is not allowed`;
  return new ReplicationError('PEER_NOT_ALLOWED', message, {
    hint: 'LiteFS cannot prove who it is: allow its address, and set compat: litefs',
  });
}

export function unreachable(url: URL, reason: string, cause?: unknown): ReplicationError {
  const message = `Cannot reach ${url.host}: ${reason}`;
  return new ReplicationError('PEER_UNREACHABLE', message, { cause });
}

/** HTTP/2 says that a request was cancelled, and why its connection broke as the cause. */
function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? error) : error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
