// What is asked of a database that this node does not have. On a replica it may not have arrived
// yet, and nobody but the primary can make it.

import { maybeSqliteCode, type SqliteDriver } from '../drivers/driver.ts';
import { SkeinError } from '../errors.ts';
import type { NodeView } from '../node-view.ts';
import { refusalOf } from './translate.ts';

export interface MissingDatabase {
  readonly node: NodeView;
  readonly path: string;
  readonly driver: SqliteDriver;
  /** What was to be executed. */
  readonly source: string;
}

/** The error in place of the one with which opening a file for reading has failed. */
export function translateOpening(error: unknown, missing: MissingDatabase): unknown {
  if (maybeSqliteCode(error)?.startsWith('SQLITE_CANTOPEN') !== true) return error;
  const { node, path } = missing;
  if (wouldWrite(missing)) return refusalOf(node.state, error) ?? error;
  const { name } = node.state;
  return new SkeinError('DATABASE_MISSING', `Cannot read ${path}: node ${name} does not have it`, {
    cause: error,
    hint: 'It comes by replication once the primary has made it: wait for it, or ask there',
  });
}

/** By SQLite's verdict on an empty database, as this one is: what makes a table is a write. */
function wouldWrite({ driver, source }: MissingDatabase): boolean {
  const empty = driver.open(':memory:', { readonly: false, busyTimeoutMs: 0 });
  try {
    return empty.prepare(source).readonly === false;
  } catch {
    // What is about a table that does not exist anywhere yet is about reading it first.
    return false;
  } finally {
    empty.close();
  }
}
