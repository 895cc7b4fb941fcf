// The entry `@skein/client/node-sqlite`: Node's own SQLite as a driver.

export { nodeSqlite } from '../drivers/node-sqlite.ts';
export {
  type NativeDatabase,
  type NativeStatement,
  type SqliteDriver,
  SqliteError,
} from '../drivers/driver.ts';
