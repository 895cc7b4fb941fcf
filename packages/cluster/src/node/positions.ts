// Whether a peer has what this node lacks.

import type { PositionMap } from '../ports.ts';

/** A database of which `theirs` has more transactions than `own`; undefined: there is none. */
export function findAhead(own: PositionMap, theirs: PositionMap): string | undefined {
  for (const [database, { txid }] of theirs) {
    if (txid > (own.get(database)?.txid ?? 0n)) return database;
  }
  return undefined;
}
