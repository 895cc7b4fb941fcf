// The driver that is meant by a name. better-sqlite3 is the application's to install.

import { createRequire } from 'node:module';

import { SkeinError } from '../errors.ts';
import { betterSqlite3, type BetterSqlite3Constructor } from './better-sqlite3.ts';
import type { SqliteDriver } from './driver.ts';
import { nodeSqlite } from './node-sqlite.ts';

export type DriverName = 'better-sqlite3' | 'node:sqlite';

/** Throws DRIVER_MISSING. */
export function loadDriver(name: DriverName | undefined): SqliteDriver {
  if (name === 'node:sqlite') return nodeSqlite();
  const found = maybeBetterSqlite3();
  if (found !== undefined) return betterSqlite3(found);
  if (name === undefined) return nodeSqlite();
  throw new SkeinError(
    'DRIVER_MISSING',
    'Cannot open a database: better-sqlite3 is not installed',
    {
      hint: 'npm install better-sqlite3, or use the driver node:sqlite',
    },
  );
}

function maybeBetterSqlite3(): BetterSqlite3Constructor | undefined {
  // It is looked for at run time alone: who uses another driver does without it.
  const load = createRequire(import.meta.url);
  try {
    return load('better-sqlite3') as BetterSqlite3Constructor;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
