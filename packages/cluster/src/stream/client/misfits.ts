// Databases that cannot go on by transactions: what the primary sends begins where they are, and
// does not lead where it says. Their content is not the primary's, or a transaction is not all that
// has changed: LiteFS leaves the first page out when a database leaves WAL mode.
//
// The cure is a snapshot, which a primary sends to whoever names a position that it never had.
// A refusal counts when it comes twice at one place: the first may be of a place that was left
// behind meanwhile.

import type { Checksum, Position } from '@skein/ltx';

import type { PositionMap } from '../../ports.ts';

export class Misfits {
  readonly #refusedAt = new Map<string, Position>();
  readonly #unfit = new Set<string>();

  /** The database did not take a transaction at this position. */
  refused(database: string, position: Position): void {
    const before = this.#refusedAt.get(database);
    const isAgain = before?.txid === position.txid && before.checksum === position.checksum;
    if (isAgain) this.#unfit.add(database);
    this.#refusedAt.set(database, position);
  }

  /** It has taken what came. */
  taken(database: string): void {
    this.#refusedAt.delete(database);
    this.#unfit.delete(database);
  }

  /** What the primary is to be told. */
  tell(positions: PositionMap): PositionMap {
    if (this.#unfit.size === 0) return positions;
    const told = new Map(positions);
    for (const database of this.#unfit) {
      const position = positions.get(database);
      if (position !== undefined) told.set(database, strayed(position));
    }
    return told;
  }
}

/** One that nobody has who has the true one. */
function strayed({ txid, checksum }: Position): Position {
  return { txid, checksum: (checksum ^ 1n) as Checksum };
}
