// The client's side of `skein lake query`: a lake that runs somewhere.

import { LakeHttpError } from '../http/errors.ts';
import type { Address } from '../http/listening.ts';

const PROBE_MS = 2000;

/** The URL of the lake that answers at this address, if one does. */
export async function maybeFindLake({ host, port }: Address): Promise<string | undefined> {
  const name = host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_MS) });
    await answer.body?.cancel();
    // Whatever else listens there is no lake.
    return answer.headers.has('x-skein-role') ? url : undefined;
  } catch {
    return undefined;
  }
}

export interface Asking {
  readonly sql: string;
  readonly token: string | undefined;
  readonly format: 'json' | 'csv';
}

/** Throws LakeHttpError with what the lake says. */
export async function askLake(
  url: string,
  { sql, token, format }: Asking,
): Promise<AsyncIterable<Uint8Array>> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (token !== undefined && token !== '') headers['Authorization'] = `Bearer ${token}`;
  let answer: Response;
  try {
    const body = JSON.stringify({ query: sql });
    answer = await fetch(`${url.replace(/\/+$/, '')}/q?format=${format}`, {
      method: 'POST',
      headers,
      body,
    });
  } catch (cause) {
    throw new LakeHttpError(503, 'LAKE_UNREACHABLE', `Cannot reach ${url}`, { cause });
  }
  if (!answer.ok) throw new LakeHttpError(answer.status, 'LAKE_REQUEST', await answer.text());
  return answer.body ?? nothing();
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
