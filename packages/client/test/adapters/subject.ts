// What the suite asks of an adapter: a few things that applications do, each to be written as one
// would write it with that library.

import type { SkeinDatabase } from '../../src/database/shape.ts';

export interface Item {
  readonly text: string | null;
  readonly big: bigint | null;
  readonly real: number | null;
  readonly data: Uint8Array | null;
}

export const CREATE_ITEMS =
  'CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT UNIQUE, big BIGINT, real REAL, data BLOB)';

/** A transaction as data, so that libraries that wait and such that do not can both make it. */
export type Step =
  | { readonly kind: 'insert'; readonly item: Item }
  /** A transaction within; the one around it goes on when it fails. */
  | { readonly kind: 'nested'; readonly steps: readonly Step[] }
  /** Something else, while the transaction is open. */
  | { readonly kind: 'call'; readonly work: () => void }
  /** Throws GivenUp. */
  | { readonly kind: 'fail' };

/** Thrown within a transaction so that it is rolled back. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

export interface Session {
  /** By whatever the library has for SQL as it is. */
  execute(sql: string): Promise<void>;
  insert(item: Item): Promise<void>;
  /** In the order of their ids. */
  list(): Promise<Item[]>;
  /** Rejects with what a step threw. */
  transaction(steps: readonly Step[]): Promise<void>;
  /** The number of items, read in a transaction that does nothing else. */
  countInTransaction(): Promise<number>;
  close(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Integers come as bigint from this database. */
  open(database: SkeinDatabase): Session;
}

/** Rows as they come, with numbers of any kind. */
export interface ItemRow {
  readonly text: string | null;
  readonly big: bigint | number | string | null;
  readonly real: number | null;
  readonly data: Uint8Array | null;
}

export function toItem({ text, big, real, data }: ItemRow): Item {
  return {
    text,
    big: big === null ? null : BigInt(big),
    real,
    data: data === null ? null : new Uint8Array(data),
  };
}
