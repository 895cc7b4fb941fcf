// Bodies that are read before their request is sent, so that it goes on in one piece, as most do.

import type { RequestHeaders } from './request-headers.ts';
import type { Visit } from './visit.ts';

/** Larger ones are not kept in memory. */
const SMALL_BYTES_MAX = 65_536;

/** Whether it says how long it is, and that is not long. */
export function isSmallBody({ contentLength, transferEncoding }: RequestHeaders): boolean {
  return transferEncoding === undefined && Number(contentLength) <= SMALL_BYTES_MAX;
}

/**
 * The whole body; undefined when the client has left. `stallMs`: a client of which nothing comes
 * for so long is cut off.
 */
export function readSmallBody(
  { request, response }: Visit,
  stallMs: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const { socket } = request;
    const pieces: Buffer[] = [];
    const onGone = (): void => resolve(undefined);
    response.once('close', onGone);
    // Node ends a connection that stands still for so long.
    socket.setTimeout(stallMs);
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.once('end', () => {
      socket.setTimeout(0);
      response.off('close', onGone);
      resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    });
  });
}
