// What SQLite refuses, by the names of its result codes, from whichever driver.

export type SqliteFailure =
  | 'busy'
  | 'readonly'
  | 'full'
  | 'cannot-open'
  | 'constraint'
  /** Of types, in a STRICT table or a rowid. */
  | 'mismatch'
  | 'too-big'
  | 'no-such-table'
  | 'other';

/** Primary result codes (sqlite.org/rescode.html). */
const BY_NUMBER: ReadonlyMap<number, SqliteFailure> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [8, 'readonly'],
  [13, 'full'],
  [14, 'cannot-open'],
  [18, 'too-big'],
  [19, 'constraint'],
  [20, 'mismatch'],
]);

const BY_NAME: readonly (readonly [RegExp, SqliteFailure])[] = [
  [/^SQLITE_(?:BUSY|LOCKED)/, 'busy'],
  [/^SQLITE_READONLY/, 'readonly'],
  [/^SQLITE_FULL/, 'full'],
  [/^SQLITE_CANTOPEN/, 'cannot-open'],
  [/^SQLITE_TOOBIG/, 'too-big'],
  [/^SQLITE_CONSTRAINT/, 'constraint'],
  [/^SQLITE_MISMATCH/, 'mismatch'],
];

/** Undefined for an error that is not SQLite's. */
export function sqliteFailure(error: unknown): SqliteFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const found =
    typeof errcode === 'number'
      ? (BY_NUMBER.get(errcode & 0xff) ?? 'other')
      : typeof code === 'string' && code.startsWith('SQLITE_')
        ? (BY_NAME.find(([pattern]) => pattern.test(code))?.[1] ?? 'other')
        : undefined;
  return found === 'other' && error.message.startsWith('no such table') ? 'no-such-table' : found;
}

/** The columns that a message of SQLite names: "UNIQUE constraint failed: t.a, t.b". */
export function refusedColumns(message: string, table: string): readonly string[] {
  const named = /constraint failed: (.+)$/.exec(message)?.[1];
  if (named === undefined) return [];
  const prefix = `${table}.`;
  return named
    .split(', ')
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}
