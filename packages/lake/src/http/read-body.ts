// The body of a request as text: of limited size, and no slower than may be.

import type { IncomingMessage, ServerResponse } from 'node:http';

import { badRequest, LakeHttpError } from './errors.ts';

export interface BodyLimits {
  readonly bytesMax: number;
  /** A client that sends nothing for so long is given up. */
  readonly stallMs: number;
}

/** Throws LakeHttpError: too large, too slow, no UTF-8. Rejects when the client leaves. */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<string> {
  const { bytesMax, stallMs } = limits;
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) throw tooLarge(bytesMax);
  const timer = setTimeout(() => request.destroy(stalled()), stallMs);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > bytesMax) throw tooLarge(bytesMax);
      parts.push(part);
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
  return decode(Buffer.concat(parts));
}

/** What is not UTF-8 would come into a table as something else than was sent. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('The body of the request is not UTF-8');
  }
}

export function tooLarge(bytesMax: number): LakeHttpError {
  const message = `The request is larger than ${bytesMax} bytes`;
  return new LakeHttpError(413, 'LAKE_TOO_LARGE', message);
}

export function stalled(): LakeHttpError {
  return new LakeHttpError(408, 'LAKE_STALLED', 'Nothing came for too long');
}

/** A client that asks before it sends is told to: by now nothing speaks against it. */
export function inviteBody({ headers }: IncomingMessage, response: ServerResponse): void {
  if (headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
}
