// What a client has seen, read from its request and told in an answer. Cookie and header are those
// of the proxy (docs/proxy.md); a client brings back either.

import {
  formatPositions,
  isNothing,
  mergePositions,
  NO_POSITIONS,
  parsePositions,
  type Positions,
} from './positions.ts';

export const POSITION_COOKIE = '__skein_pos';
export const POSITION_HEADER = 'Skein-Position';
/** Longer than any replica may be behind and still be used; renewed by each write. */
const COOKIE_AGE_S = 300;

export interface CarriedPosition {
  readonly cookies: readonly string[];
  readonly position: string | undefined;
}

export function carriedPositions({ cookies, position }: CarriedPosition): Positions {
  let found = position === undefined ? NO_POSITIONS : parsePositions(position);
  for (const line of cookies) {
    // Most clients have none.
    if (!line.includes(POSITION_COOKIE)) continue;
    for (const pair of line.split(';')) {
      const [name = '', value = ''] = pair.split('=', 2);
      if (name.trim() === POSITION_COOKIE) {
        found = mergePositions(found, parsePositions(value.trim()));
      }
    }
  }
  return found;
}

/** Name, value, name, value: the headers that tell a client what it has seen. */
export function seenHeaders(positions: Positions, isSecure: boolean): string[] {
  const isEmpty = isNothing(positions);
  const value = isEmpty ? '' : formatPositions(positions);
  const attributes = [
    `${POSITION_COOKIE}=${value}`,
    'Path=/',
    `Max-Age=${isEmpty ? 0 : COOKIE_AGE_S}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure ? ['Secure'] : []),
  ];
  return ['Set-Cookie', attributes.join('; '), POSITION_HEADER, formatPositions(positions)];
}
