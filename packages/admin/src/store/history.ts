// Who changed what, when, through which node: written in the transaction of the change itself, so
// that one is never there without the other.

import type { Cell } from '../database/cells.ts';
import { type SqliteHandle, type SqlRow, type SqlValue, selectAll } from '../database/handle.ts';

export type LogAction =
  | 'add'
  | 'change'
  | 'delete'
  /** Of a user of the site. */
  | 'user';

/** A value before and after; undefined where there was none. */
export interface Change {
  readonly column: string;
  readonly before: LoggedValue | undefined;
  readonly after: LoggedValue | undefined;
}

/** A text, NULL, or the size of a blob. */
export type LoggedValue = string | null | { readonly blob: number };

export interface LogEntry {
  readonly id: number;
  readonly atMs: number;
  readonly user: string;
  readonly node: string;
  readonly action: LogAction;
  readonly table: string;
  readonly key: string;
  readonly label: string;
  readonly changes: readonly Change[];
}

/** The history tells what was changed; it is no copy of the database. */
const VALUE_LENGTH_MAX = 500;

/** Who does it, and where. */
export interface Actor {
  readonly user: string;
  readonly node: string;
  readonly nowMs: number;
}

export interface LoggedAction extends Pick<LogEntry, 'action' | 'table' | 'key' | 'label'> {
  readonly changes: readonly Change[];
}

export function logAction(database: SqliteHandle, actor: Actor, logged: LoggedAction): void {
  const changes = logged.changes.map(({ column, before, after }) => [column, before, after]);
  database
    .prepare(
      `INSERT INTO skein_admin_log (at, user, node, action, table_name, row_key, label, changes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      BigInt(Math.floor(actor.nowMs)),
      actor.user,
      actor.node,
      logged.action,
      logged.table,
      logged.key,
      logged.label,
      // A value that was not there has to be told from NULL.
      JSON.stringify(changes, (_, value: unknown) => (value === undefined ? 0 : value)),
    );
}

export function loggedValue(cell: Cell): LoggedValue {
  switch (cell.kind) {
    case 'null':
      return null;
    case 'blob':
      return { blob: cell.sizeBytes };
    case 'integer':
    case 'real':
    case 'text':
      return cut(cell.text);
  }
}

function cut(text: string): string {
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX)}…`;
}

export interface LogQuery {
  readonly table?: string | undefined;
  readonly key?: string | undefined;
  /** Only entries before this one. */
  readonly beforeId?: number | undefined;
  readonly max: number;
}

/** The last first. */
export function readLog(database: SqliteHandle, query: LogQuery): LogEntry[] {
  const conditions: string[] = ['1'];
  const values: SqlValue[] = [];
  const add = (sql: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(sql);
    values.push(value);
  };
  add('table_name = ?', query.table);
  add('row_key = ?', query.key);
  add('id < ?', query.beforeId === undefined ? undefined : BigInt(query.beforeId));
  return selectAll(
    database,
    `SELECT id, at, user, node, action, table_name, row_key, label, changes
     FROM skein_admin_log WHERE ${conditions.join(' AND ')}
     ORDER BY id DESC LIMIT ${Math.floor(query.max)}`,
    ...values,
  ).map(readEntry);
}

function readEntry(row: SqlRow): LogEntry {
  const changes = JSON.parse(String(row['changes'])) as readonly (readonly unknown[])[];
  return {
    id: Number(row['id']),
    atMs: Number(row['at']),
    user: String(row['user']),
    node: String(row['node']),
    action: String(row['action']) as LogAction,
    table: String(row['table_name']),
    key: String(row['row_key']),
    label: String(row['label']),
    changes: changes.map(([column, before, after]) => ({
      column: String(column),
      before: before === 0 ? undefined : (before as LoggedValue),
      after: after === 0 ? undefined : (after as LoggedValue),
    })),
  };
}
