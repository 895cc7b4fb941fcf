// What tables there are, as SQLite tells it: columns, keys, and who refers to whom.
//
// Invariant: all names that get into SQL come from here. A request only chooses among them.

import { type SqliteHandle, selectAll, selectOne } from './handle.ts';

/** SQLite's rules of affinity (datatype3.html, section 3.1). */
export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC';

export interface Column {
  readonly name: string;
  /** As it was written, maybe empty. */
  readonly declaredType: string;
  readonly affinity: Affinity;
  /** Also where the key of the table says so. */
  readonly isNotNull: boolean;
  /** An expression of SQL. */
  readonly defaultSql: string | undefined;
  /** Its place in the primary key from 1 on; 0 if it is not in it. */
  readonly keyPlace: number;
  /** Computed from others: it cannot be written. */
  readonly isGenerated: boolean;
  /** INTEGER PRIMARY KEY: SQLite chooses a value where none is given. */
  readonly isRowid: boolean;
}

export type ReferentialAction = 'NO ACTION' | 'RESTRICT' | 'SET NULL' | 'SET DEFAULT' | 'CASCADE';

export interface ForeignKey {
  /** The table that refers. */
  readonly table: string;
  readonly columns: readonly string[];
  /** The table that is referred to. */
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly onDelete: ReferentialAction;
}

export interface Index {
  readonly name: string;
  readonly isUnique: boolean;
  /** Undefined for an expression. */
  readonly columns: readonly (string | undefined)[];
  readonly isPartial: boolean;
}

/** How a row is told from others. */
export type RowIdentity =
  /** By columns that are its key and never NULL. */
  | { readonly kind: 'columns'; readonly names: readonly string[] }
  /** By the number that SQLite gave it, under the one of its names that no column took. */
  | { readonly kind: 'rowid'; readonly names: readonly [string] };

export interface Table {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'virtual';
  readonly isStrict: boolean;
  readonly isWithoutRowid: boolean;
  readonly columns: readonly Column[];
  /** Undefined for views: their rows are shown and no more. */
  readonly identity: RowIdentity | undefined;
  readonly foreignKeys: readonly ForeignKey[];
  /** Keys of other tables that lead here. */
  readonly referencedBy: readonly ForeignKey[];
  readonly indexes: readonly Index[];
  /** As it was created. */
  readonly sql: string;
}

export type Schema = ReadonlyMap<string, Table>;

/** SQLite's tables, and those of the site itself. */
const HIDDEN_NAME = /^(?:sqlite|skein_admin)_/i;

export function readSchema(database: SqliteHandle): Schema {
  const found = selectAll(
    database,
    `SELECT l.name, l.type, l.wr AS withoutRowid, l.strict, m.sql
     FROM pragma_table_list AS l
     JOIN main.sqlite_schema AS m ON m.name = l.name AND m.type IN ('table', 'view')
     WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual')
     ORDER BY l.name COLLATE NOCASE`,
  );
  const drafts = found
    .filter(({ name }) => !HIDDEN_NAME.test(String(name)))
    .map((row) => readTable(database, row));
  const byName = new Map(drafts.map((table) => [table.name.toLowerCase(), table]));
  for (const table of drafts) {
    table.foreignKeys = readForeignKeys(database, table.name, byName);
  }
  for (const key of drafts.flatMap(({ foreignKeys }) => foreignKeys)) {
    byName.get(key.target.toLowerCase())?.referencedBy.push(key);
  }
  return new Map(drafts.map((table) => [table.name, table]));
}

/** The schema, read again when it is not what it was. */
export class SchemaCache {
  #known: { readonly sql: unknown; readonly schema: Schema } | undefined;

  read(database: SqliteHandle): Schema {
    const sql = selectOne(
      database,
      "SELECT group_concat(coalesce(sql, ''), char(0)) AS sql FROM main.sqlite_schema",
    )!['sql'];
    // A number of versions would not tell one database from another that took its place.
    if (this.#known?.sql !== sql) this.#known = { sql, schema: readSchema(database) };
    return this.#known!.schema;
  }
}

type Draft = { -readonly [K in keyof Table]: Table[K] } & { referencedBy: ForeignKey[] };

function readTable(database: SqliteHandle, row: Readonly<Record<string, unknown>>): Draft {
  const name = String(row['name']);
  const kind = String(row['type']) as Table['kind'];
  const isWithoutRowid = Number(row['withoutRowid']) === 1;
  const columns = readColumns(database, name, { kind, isWithoutRowid });
  return {
    name,
    kind,
    isStrict: Number(row['strict']) === 1,
    isWithoutRowid,
    columns,
    identity: kind === 'table' ? identityOf(columns) : undefined,
    foreignKeys: [],
    referencedBy: [],
    indexes: readIndexes(database, name),
    sql: textOf(row['sql']),
  };
}

interface Kind {
  readonly kind: Table['kind'];
  readonly isWithoutRowid: boolean;
}

function readColumns(
  database: SqliteHandle,
  table: string,
  { kind, isWithoutRowid }: Kind,
): Column[] {
  const rows = selectAll(
    database,
    'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)',
    table,
  )
    // 1: a column of a virtual table that is an argument, not data.
    .filter(({ hidden }) => Number(hidden) !== 1);
  const keySize = rows.filter(({ pk }) => Number(pk) > 0).length;
  return rows.map((row) => {
    const declaredType = textOf(row['type']);
    const keyPlace = Number(row['pk']);
    const isInteger = declaredType.toUpperCase() === 'INTEGER';
    const isRowid =
      kind === 'table' && !isWithoutRowid && keyPlace === 1 && keySize === 1 && isInteger;
    const defaultSql = row['dflt_value'];
    return {
      name: String(row['name']),
      declaredType,
      affinity: affinityOf(declaredType),
      isNotNull: Number(row['notnull']) === 1 || isRowid || (isWithoutRowid && keyPlace > 0),
      defaultSql: typeof defaultSql === 'string' ? defaultSql : undefined,
      keyPlace,
      isGenerated: Number(row['hidden']) > 1,
      isRowid,
    };
  });
}

export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase();
  if (type.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT';
  if (type === '' || type.includes('BLOB') || type === 'ANY') return 'BLOB';
  return /REAL|FLOA|DOUB/.test(type) ? 'REAL' : 'NUMERIC';
}

/**
 * The primary key, unless SQLite allows NULL in it, as it does in most tables; VACUUM may change a
 * rowid, so it is the second choice.
 */
function identityOf(columns: readonly Column[]): RowIdentity | undefined {
  const key = columns
    .filter(({ keyPlace }) => keyPlace > 0)
    .sort((a, b) => a.keyPlace - b.keyPlace);
  if (key.length > 0 && key.every(({ isNotNull }) => isNotNull)) {
    return { kind: 'columns', names: key.map(({ name }) => name) };
  }
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  const free = ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name));
  return free === undefined ? undefined : { kind: 'rowid', names: [free] };
}

function readForeignKeys(
  database: SqliteHandle,
  table: string,
  byName: ReadonlyMap<string, Table>,
): ForeignKey[] {
  const rows = selectAll(
    database,
    `SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(?)
     ORDER BY id DESC, seq`,
    table,
  );
  const byId = Map.groupBy(rows, ({ id }) => Number(id));
  return [...byId.values()].flatMap((parts): ForeignKey[] => {
    // A key may lead to a table that is not there, or is not shown.
    const target = byName.get(String(parts[0]!['table']).toLowerCase());
    if (target === undefined) return [];
    const primary = target.columns
      .filter(({ keyPlace }) => keyPlace > 0)
      .sort((a, b) => a.keyPlace - b.keyPlace);
    const targetColumns = parts.map(({ to }, i) => textOf(to ?? primary[i]?.name));
    const columns = parts.map(({ from }) => String(from));
    const onDelete = String(parts[0]!['on_delete']) as ReferentialAction;
    const named = targetColumns.map((name) => maybeColumn(target, name)?.name);
    if (named.includes(undefined)) return [];
    return [{ table, columns, target: target.name, targetColumns: named as string[], onDelete }];
  });
}

function readIndexes(database: SqliteHandle, table: string): Index[] {
  return selectAll(
    database,
    'SELECT name, "unique", partial FROM pragma_index_list(?) ORDER BY seq DESC',
    table,
  ).map((row) => {
    const name = String(row['name']);
    const columns = selectAll(
      database,
      'SELECT name FROM pragma_index_info(?) ORDER BY seqno',
      name,
    ).map(({ name }) => (typeof name === 'string' ? name : undefined));
    const isPartial = Number(row['partial']) === 1;
    return { name, isUnique: Number(row['unique']) === 1, columns, isPartial };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The column of that name, which SQLite compares without case. */
export function maybeColumn(table: Table, name: string): Column | undefined {
  const lower = name.toLowerCase();
  return table.columns.find((column) => column.name.toLowerCase() === lower);
}

/** The key of one column that leads from it to another table. */
export function foreignKeyOf(table: Table, column: string): ForeignKey | undefined {
  const lower = column.toLowerCase();
  return table.foreignKeys.find(
    ({ columns }) => columns.length === 1 && columns[0]!.toLowerCase() === lower,
  );
}
