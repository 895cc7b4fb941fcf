// Reading and writing the cookies in which clients carry their position (RFC 6265).

import {
  formatPositions,
  isNothing,
  mergePositions,
  NO_POSITIONS,
  parsePositions,
  type Positions,
} from '@skein/client/peers';

import type { DatabasePosition } from './node-view.ts';
import { formatTxidCookie, maybeParseTxidCookie } from './txid-cookie.ts';

export const POSITION_COOKIE = '__skein_pos';
/** LiteFS's. */
export const TXID_COOKIE = '__txid';

/**
 * Longer than any replica may be behind and still be used. LiteFS's value; renewed by each write.
 */
export const COOKIE_AGE_S = 300;

export interface CarriedPosition {
  readonly cookies: readonly string[];
  /** Of the header Skein-Position. */
  readonly header: string | undefined;
}

/** What a client has seen. `database`: the one that LiteFS's cookie is about. */
export function carriedPositions(
  { cookies, header }: CarriedPosition,
  database: string | undefined,
): Positions {
  let found = header === undefined ? NO_POSITIONS : parsePositions(header);
  for (const line of cookies) {
    // Most clients have neither.
    if (!line.includes(POSITION_COOKIE) && !line.includes(TXID_COOKIE)) continue;
    for (const pair of line.split(';')) found = mergePositions(found, readPair(pair, database));
  }
  return found;
}

function readPair(pair: string, database: string | undefined): Positions {
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  const value = pair.slice(equals + 1).trim();
  if (name === POSITION_COOKIE) return parsePositions(value);
  if (name !== TXID_COOKIE || database === undefined) return NO_POSITIONS;
  const position = maybeParseTxidCookie(value);
  if (position === undefined) return NO_POSITIONS;
  return { byDatabase: new Map([[database, position]]), isPartial: false };
}

/** The value of Set-Cookie. An empty position takes the cookie away. */
export function positionCookie(positions: Positions, isSecure: boolean): string {
  const isEmpty = isNothing(positions);
  const value = isEmpty ? '' : formatPositions(positions);
  return `${POSITION_COOKIE}=${value}; ${attributes(isEmpty ? 0 : COOKIE_AGE_S, isSecure)}`;
}

export function txidCookie(position: DatabasePosition, isSecure: boolean): string {
  return `${TXID_COOKIE}=${formatTxidCookie(position)}; ${attributes(COOKIE_AGE_S, isSecure)}`;
}

function attributes(ageS: number, isSecure: boolean): string {
  return `Path=/; Max-Age=${ageS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
}
