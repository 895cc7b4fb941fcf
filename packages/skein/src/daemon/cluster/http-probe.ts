// Asks another node what it is: POST /cluster/node, with what this one is. Both sides sign what
// they say where the cluster has a secret.

import { createHash } from 'node:crypto';
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';

import {
  type Authenticator,
  formatHello,
  HELLO_BYTES_MAX,
  maybeTlsError,
  parseHello,
  type PeerHello,
  type PeerProbe,
  ReplicationError,
  type TlsIdentity,
} from '@skein/cluster';

import { HELLO_PATH, HELLO_WITH_POSITIONS, SIGNATURE_HEADER } from '../../api/cluster-routes.ts';

/** In every answer of LiteFS. */
const LITEFS_HEADER = 'litefs-id';

/** A node answers this from memory. */
const TIMEOUT_MS = 1_500;

export interface HttpProbeOptions {
  readonly authenticator: Authenticator | undefined;
  readonly tls: TlsIdentity | undefined;
  /** Whether it is no surprise that a peer is a LiteFS, which does not know the question. */
  readonly mayMeetLitefs: boolean;
}

export class HttpProbe implements PeerProbe {
  readonly #options: HttpProbeOptions;

  constructor(options: HttpProbeOptions) {
    this.#options = options;
  }

  async ask(
    url: URL,
    own: PeerHello,
    { wantsPositions }: { readonly wantsPositions: boolean },
  ): Promise<PeerHello> {
    const { authenticator } = this.#options;
    const body = formatHello(own);
    const path = wantsPositions ? HELLO_WITH_POSITIONS : HELLO_PATH;
    const signature = authenticator?.sign(helloParts(path, body));
    const target = new URL(path, url);
    const response = await this.#send(target, body, signature);
    const answer = await readAll(response);
    if (response.statusCode !== 200) throw this.#refusal(url, response);
    const theirs = response.headers[SIGNATURE_HEADER];
    if (authenticator !== undefined) {
      const shown = typeof theirs === 'string' ? theirs : undefined;
      authenticator.verifyAnswer(shown, signature!, helloParts(HELLO_PATH, answer));
    }
    return parseHello(answer);
  }

  #refusal({ host }: URL, { statusCode, headers }: IncomingMessage): Error {
    if (statusCode === 404 && headers[LITEFS_HEADER] !== undefined) {
      const message = `The node at ${host} is a LiteFS`;
      if (this.#options.mayMeetLitefs) return new Error(message);
      return new ReplicationError('PEER_NOT_ALLOWED', `${message}, without cluster.compat: litefs`);
    }
    const code = statusCode === 401 ? 'PEER_AUTHENTICATION' : 'PEER_REFUSED';
    return new ReplicationError(code, `The node at ${host} answers ${statusCode}`);
  }

  #send(url: URL, body: string, signature: string | undefined): Promise<IncomingMessage> {
    const { tls } = this.#options;
    const options: RequestOptions = {
      method: 'POST',
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        ...(signature === undefined ? {} : { [SIGNATURE_HEADER]: signature }),
      },
    };
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, ...secretsOf(tls) }, resolve)
          : httpRequest(url, options, resolve);
      request.on('error', (error) => reject(maybeTlsError(error, url.host) ?? error));
      request.end(body);
    });
  }
}

/** What a signature is over; `target`: path and query, of an answer the path alone. */
export function helloParts(target: string, body: string): readonly string[] {
  return [target, createHash('sha256').update(body).digest('hex')];
}

function secretsOf(tls: TlsIdentity | undefined): { cert?: string; key?: string; ca?: string } {
  if (tls === undefined) return {};
  const { cert, key, ca } = tls;
  return ca === undefined ? { cert, key } : { cert, key, ca };
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > HELLO_BYTES_MAX) {
      response.destroy();
      throw new ReplicationError('STREAM_LIMIT', 'What a node says of itself is not that long');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
