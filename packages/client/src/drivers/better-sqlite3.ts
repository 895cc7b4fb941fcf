// better-sqlite3, and drivers that have its shape.

import type { NativeDatabase, SqliteDriver } from './driver.ts';

/** The constructor that better-sqlite3 exports, as far as it is used here. */
export type BetterSqlite3Constructor = new (
  path: string,
  options: {
    readonly readonly: boolean;
    readonly fileMustExist: boolean;
    readonly timeout: number;
  },
) => NativeDatabase;

/** A driver out of a constructor that is like better-sqlite3's. */
export function betterSqlite3(Database: BetterSqlite3Constructor): SqliteDriver {
  return {
    name: 'better-sqlite3',
    open: (path, { readonly, busyTimeoutMs: timeout }) =>
      new Database(path, { readonly, fileMustExist: readonly, timeout }),
  };
}
