// What a client has seen of the databases: the position that it carries in a cookie or a header, to
// proxies, applications and SQL over HTTP alike (docs/proxy.md):
//
//   1&3:1a2b:app.db&3:7:other.db
//   1&*&3:1a2b:app.db
//
// The version, then for each database epoch (decimal), TXID (hexadecimal) and name
// (percent-encoded, so that the whole can stand in a cookie). `*` says that there was more than has
// room: only the primary is sure to be as far. Clients keep this: the format cannot change, only
// the version.
//
// Invariant: merging never takes a client back. Within an epoch the higher TXID wins; a higher
// epoch wins always, since what an old primary had beyond it is lost and nobody can wait for it.

import type { Position } from '../node-view.ts';

export interface Positions {
  readonly byDatabase: ReadonlyMap<string, Position>;
  /** Whether some had no room. */
  readonly isPartial: boolean;
}

export const NO_POSITIONS: Positions = { byDatabase: new Map(), isPartial: false };

/** Browsers keep 4096 bytes a cookie, servers take some 16 KiB of headers with all cookies. */
export const POSITIONS_LENGTH_MAX = 2048;
/** More than one request of an app that has a database for each user writes to. */
export const POSITIONS_COUNT_MAX = 32;

const VERSION = '1';
const MORE = '*';
const ENTRY = /^(?<epoch>\d{1,15}):(?<txid>[0-9a-f]{1,16}):(?<name>[^:]+)$/;

/** What cannot be read is as if it was not there: anybody can send anything. */
export function parsePositions(text: string): Positions {
  if (text.length > POSITIONS_LENGTH_MAX) return NO_POSITIONS;
  const [version, ...entries] = text.split('&');
  const isPartial = entries[0] === MORE;
  if (isPartial) entries.shift();
  if (version !== VERSION || entries.length > POSITIONS_COUNT_MAX) return NO_POSITIONS;
  const byDatabase = new Map<string, Position>();
  for (const entry of entries) {
    const { epoch, txid, name } = ENTRY.exec(entry)?.groups ?? {};
    const database = name === undefined ? undefined : maybeDecode(name);
    if (database === undefined) return NO_POSITIONS;
    const position = { epoch: Number(epoch), txid: BigInt(`0x${txid}`) };
    byDatabase.set(database, later(byDatabase.get(database), position));
  }
  return { byDatabase, isPartial };
}

export function formatPositions({ byDatabase, isPartial }: Positions): string {
  const entries = [...byDatabase].map(([database, position]) => formatEntry(database, position));
  return [VERSION, ...(isPartial ? [MORE] : []), ...entries].join('&');
}

export function isNothing({ byDatabase, isPartial }: Positions): boolean {
  return byDatabase.size === 0 && !isPartial;
}

export function onePosition(database: string, position: Position): Positions {
  return { byDatabase: new Map([[database, position]]), isPartial: false };
}

/** What a client has seen that had seen `older` and then sees `newer`; never more than has room. */
export function mergePositions(older: Positions, newer: Positions): Positions {
  // The newest first: what has no room is what was seen longest ago.
  const merged = new Map(newer.byDatabase);
  for (const [database, position] of older.byDatabase) {
    merged.set(database, later(position, merged.get(database)));
  }
  const byDatabase = new Map<string, Position>();
  let length = VERSION.length + 1 + MORE.length;
  for (const [database, position] of merged) {
    length += 1 + formatEntry(database, position).length;
    if (length > POSITIONS_LENGTH_MAX || byDatabase.size === POSITIONS_COUNT_MAX) break;
    byDatabase.set(database, position);
  }
  const isPartial = older.isPartial || newer.isPartial || byDatabase.size < merged.size;
  return { byDatabase, isPartial };
}

/**
 * Whether somebody who is at `actual` has all that was seen at `wanted`. A higher epoch alone does
 * not say so: a node may have heard of it and still be fetching what came before.
 */
export function isReached(wanted: Position, actual: Position | undefined): boolean {
  return actual !== undefined && actual.epoch >= wanted.epoch && actual.txid >= wanted.txid;
}

function formatEntry(database: string, { epoch, txid }: Position): string {
  return `${epoch}:${txid.toString(16)}:${encodeURIComponent(database)}`;
}

function later(a: Position | undefined, b: Position | undefined): Position {
  if (a === undefined || b === undefined) return (a ?? b)!;
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? a : b;
  return a.txid >= b.txid ? a : b;
}

function maybeDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
