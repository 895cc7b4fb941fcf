// What a client has seen after its request, and how it is told so that it brings it along.
//
// Only writes tell it, and reads whose client carries what is no more: a cookie with each answer
// would keep every cache from working.

import {
  formatPositions,
  isReached,
  mergePositions,
  NO_POSITIONS,
  type Positions,
} from '@skein/client/peers';

import { positionCookie, txidCookie } from './cookies.ts';
import type { DatabasePosition, NodeView } from './node-view.ts';

/** The databases that moved since, for an app of which we do not know which one it writes. */
export class MovedDatabases {
  readonly #names = new Set<string>();
  readonly #view: NodeView;
  readonly #stop: () => void;

  constructor(view: NodeView) {
    this.#view = view;
    this.#stop = view.onChange((moved) => {
      for (const name of moved) {
        // The newest last, also one that moved before.
        this.#names.delete(name);
        this.#names.add(name);
      }
    });
  }

  positions(): Positions {
    return positionsOf(this.#view, [...this.#names].toReversed());
  }

  close(): void {
    this.#stop();
  }
}

/** Where these databases stand. */
export function positionsOf(
  view: Pick<NodeView, 'position'>,
  databases: readonly string[],
): Positions {
  const all = databases.flatMap((database) => {
    const position = view.position(database);
    return position === undefined ? [] : [[database, position] as const];
  });
  return mergePositions(NO_POSITIONS, { byDatabase: new Map(all), isPartial: false });
}

/**
 * What of a client's position the primary knows better: a database that is gone, or an epoch that
 * has ended. Undefined: nothing.
 */
export function maybeCorrected(
  view: Pick<NodeView, 'position'>,
  wanted: Positions,
): Positions | undefined {
  let isChanged = false;
  const byDatabase = new Map<string, DatabasePosition>();
  for (const [database, position] of wanted.byDatabase) {
    const actual = view.position(database);
    // LiteFS's cookie knows no epochs: one that is not ahead of us is right.
    const isUndated = position.epoch === 0 && actual !== undefined && isReached(position, actual);
    const isRight = actual !== undefined && (isUndated || actual.epoch <= position.epoch);
    isChanged ||= !isRight;
    if (actual !== undefined) byDatabase.set(database, isRight ? position : actual);
  }
  return isChanged ? { byDatabase, isPartial: wanted.isPartial } : undefined;
}

export interface TellOptions {
  readonly isSecure: boolean;
  /** Of which LiteFS's cookie tells; undefined: it is not set. */
  readonly txidDatabase: string | undefined;
}

/** The headers that tell a client what it has seen. */
export function seenHeaders(
  positions: Positions,
  { isSecure, txidDatabase }: TellOptions,
): string[] {
  const headers = ['Set-Cookie', positionCookie(positions, isSecure)];
  headers.push('Skein-Position', formatPositions(positions));
  const txid = txidDatabase === undefined ? undefined : positions.byDatabase.get(txidDatabase);
  if (txid !== undefined) headers.push('Set-Cookie', txidCookie(txid, isSecure));
  return headers;
}
