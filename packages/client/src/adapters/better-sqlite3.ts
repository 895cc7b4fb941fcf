// The entry `@skein/client/better-sqlite3`: a driver out of better-sqlite3, or what is like it.

export { betterSqlite3, type BetterSqlite3Constructor } from '../drivers/better-sqlite3.ts';
export type { NativeDatabase, NativeStatement, SqliteDriver } from '../drivers/driver.ts';
