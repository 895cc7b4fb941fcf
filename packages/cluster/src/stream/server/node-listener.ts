// One port for everything that a node offers: HTTP/1.1 requests to its API, and HTTP/2 streams.
//
// On a plain connection the first bytes tell which it is: HTTP/2 begins with a preface that no
// request of HTTP/1.1 begins with (RFC 9113, section 3.4). Under TLS it is agreed on by ALPN. The
// server that comes out is one of node:http or node:https, to listen on and to close as usual.

import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { ReplicationError } from '../../errors.ts';
import { STREAM_PATH } from '../hello.ts';
import { STREAM_TIMING } from '../timing.ts';
import { maybeTlsError, tlsError } from '../tls-errors.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import { ERROR_HEADER, statusOf } from './refusal.ts';
import type { StreamServer } from './stream-server.ts';

export interface NodeListenerOptions {
  readonly streams: StreamServer;
  /** Answers what is not for the streams. */
  readonly handle: RequestListener;
  readonly http?: ServerOptions;
  readonly tls?: TlsIdentity | undefined;
  /** For the first bytes of a connection. */
  readonly handshakeMs?: number;
}

/** `PRI * HTTP/2.0`; methods of HTTP/1.1 that begin like this go on with an O. */
const PREFACE = Buffer.from('PRI');

export function createNodeListener(options: NodeListenerOptions): Server {
  const { http = {}, tls } = options;
  const handle: RequestListener = (request, response) => {
    if (request.url?.split('?')[0] !== STREAM_PATH) return options.handle(request, response);
    const error = new ReplicationError('STREAM_NEEDS_HTTP2', 'Upgrade to HTTP/2 is required');
    response.writeHead(statusOf(error), { [ERROR_HEADER]: error.code, connection: 'close' });
    response.end(`${error.message}\n`);
  };
  if (tls === undefined) return serveBoth(createServer(http, handle), 'connection', options);
  const { cert, key, ca, verifiesPeers = false } = tls;
  const server = createTlsServer(
    {
      ...http,
      cert,
      key,
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: verifiesPeers,
      rejectUnauthorized: verifiesPeers,
      handshakeTimeout: options.handshakeMs ?? STREAM_TIMING.handshakeMs,
      ...(ca === undefined ? {} : { ca }),
    },
    handle,
  );
  server.on('tlsClientError', (error, socket) => {
    const failure = maybeTlsFailure(error, socket);
    if (failure !== undefined) options.streams.complain(failure, socket.remoteAddress ?? '');
  });
  return serveBoth(server, 'secureConnection', options);
}

/** Undefined for who hung up, as those do that only look whether somebody listens. */
function maybeTlsFailure(error: Error, socket: TLSSocket): ReplicationError | undefined {
  const address = socket.remoteAddress ?? 'a peer';
  // Node says that the connection was lost, after it has cut it off for this. (Its types have an
  // Error here, which was one long ago.)
  const reason = socket.authorizationError as unknown as string | null;
  return reason ? tlsError(address, reason) : maybeTlsError(error, address);
}

/** Puts the choice between the versions before the server's own way to take a connection. */
function serveBoth(
  server: Server,
  event: 'connection' | 'secureConnection',
  { streams, handshakeMs = STREAM_TIMING.handshakeMs }: NodeListenerOptions,
): Server {
  const takeHttp1 = server.listeners(event) as ((socket: Socket) => void)[];
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    const isAgreed = 'alpnProtocol' in socket;
    const take = (isHttp2: boolean): void => {
      if (isHttp2) streams.accept(socket);
      else for (const listener of takeHttp1) listener.call(server, socket);
    };
    if (isAgreed) take(socket.alpnProtocol === 'h2');
    else sniff(socket, handshakeMs, take);
  });
  return server;
}

/** Reads until the version is clear, and puts back what it has read. */
function sniff(socket: Socket, timeoutMs: number, take: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const deadline = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = (): void => {
    clearTimeout(deadline);
    socket.off('readable', onReadable);
    socket.off('error', giveUp);
    socket.off('end', giveUp);
    socket.off('close', stop);
  };
  // On an end too: connections of node:http may be half open.
  const giveUp = (): void => {
    socket.destroy();
  };
  const onReadable = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    seen = Buffer.concat([seen, bytes]);
    const length = Math.min(seen.length, PREFACE.length);
    const isLike = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
    if (isLike && length < PREFACE.length) return;
    stop();
    socket.unshift(seen);
    take(isLike);
  };
  socket.on('readable', onReadable);
  socket.on('error', giveUp);
  socket.on('end', giveUp);
  socket.on('close', stop);
}
