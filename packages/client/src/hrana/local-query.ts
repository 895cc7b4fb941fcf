// Executes a statement on the file of this node, with the same results as one that goes elsewhere.

import type { SkeinDatabase, SqlParameter } from '../database/shape.ts';
import { isList, type QueryResult, type SqlArguments } from './values.ts';

/**
 * Whether SQLite says that a statement only reads, and it opens no transaction. What does not fit
 * the schema here may fit the primary's, which is newer.
 */
export function isReadHere(database: SkeinDatabase, sql: string): boolean {
  try {
    const statement = database.prepare(sql);
    return statement.reader && statement.readonly;
  } catch {
    return false;
  }
}

/** Throws what openDatabase() says of its statements. */
export function runHere(database: SkeinDatabase, sql: string, args: SqlArguments): QueryResult {
  const statement = database.prepare(sql);
  const parameters: SqlParameter[] = isList(args)
    ? [...args]
    : Object.keys(args).length === 0
      ? []
      : [args];
  if (!statement.reader) {
    const { changes, lastInsertRowid } = statement.run(...parameters);
    const isRead = statement.readonly;
    const written = { changes, lastInsertRowid: isRead ? undefined : lastInsertRowid };
    return { columns: [], rows: [], ...written };
  }
  const rows = statement.all(...parameters) as Record<string, unknown>[];
  const columns = statement.columns().map(({ name }) => name);
  if (statement.readonly) return { columns, rows, changes: 0, lastInsertRowid: undefined };
  const last = database.prepare('SELECT changes() AS changes, last_insert_rowid() AS rowid');
  const { changes, rowid } = last.get() as { readonly changes: number; readonly rowid: number };
  return { columns, rows, changes, lastInsertRowid: rowid };
}
