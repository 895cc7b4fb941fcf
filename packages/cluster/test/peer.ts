// A peer of which a test decides every byte: one request for a stream by hand.

import { once } from 'node:events';
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';

import { onTestEnd, type TestScope } from '@skein/testkit';

import type { Authenticator } from '../src/auth/authenticator.ts';
import { type NodeHello, requestHeaders, signedParts } from '../src/stream/hello.ts';
import { FrameWriter } from '../src/wire/frame-writer.ts';

export interface RawRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly method?: string;
}

export function openRaw(
  t: TestScope,
  { url, headers, path, method }: RawRequest,
): ClientHttp2Stream {
  const session = connect(url.origin);
  session.on('error', () => undefined);
  onTestEnd(t, () => session.destroy());
  const stream = session.request({
    ':method': method ?? 'POST',
    ':path': path ?? '/stream',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** The headers of a node of Skein, signed if there is something to sign with. */
export function skeinHeaders(hello: NodeHello, auth?: Authenticator): Record<string, string> {
  const headers = requestHeaders(hello);
  if (auth === undefined) return headers;
  return { ...headers, 'skein-auth': auth.sign(signedParts(['POST', '/stream'], headers)) };
}

export const EMPTY_MAP: Uint8Array = emptyMap();

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export async function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  let text = '';
  for await (const bytes of stream) text += String(bytes);
  return { status: Number(headers[':status']), headers, text };
}

function emptyMap(): Uint8Array {
  const writer = new FrameWriter();
  writer.positionMap(new Map());
  return writer.take();
}
