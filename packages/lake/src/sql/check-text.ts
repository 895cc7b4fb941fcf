// What no statement of a client may name, checked before DuckDB sees it.
//
// Binding alone already opens files (sqlite_scan reads the schema of its file, EXPLAIN included),
// so names are looked at first. Strings can hold anything: nothing that runs text is allowed.

import { LakeError } from '../engine/errors.ts';
import { isDeniedFunction } from './names.ts';
import { isName, isSymbol, isWord, type Token } from './tokens.ts';

/** The catalog's database as DuckLake attaches it for itself. */
const HIDDEN_CATALOG = /^(?:__ducklake_metadata|__wasm_|skein_functions$)/i;
/** SQLite's own tables: what DuckDB suggests when a name is not found. */
const HIDDEN_TABLES = /^(?:sqlite_master|sqlite_schema|sqlite_temp_master)$/i;
/** What DuckDB would read as a file when it stands where a table stands. */
const FILE_ENDINGS = 'parquet|csv|tsv|txt|json|jsonl|ndjson|db|duckdb|sqlite|arrow|xlsx';
const FILE_NAME = new RegExp(
  `^[a-z][a-z0-9+.-]*://|\\.(?:${FILE_ENDINGS})(?:\\.(?:gz|zst))?(?:\\?.*)?$`,
  'i',
);

/** Throws LAKE_FORBIDDEN. */
export function checkNames(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (!isName(token)) continue;
    if (HIDDEN_CATALOG.test(token.value) || HIDDEN_TABLES.test(token.value)) {
      throw forbidden(`The name ${token.value} is not for clients`);
    }
    const name = token.value.toLowerCase();
    if (isDeniedFunction(name) && isSymbol(tokens[index + 1], '(') && !isNewName(tokens, index)) {
      throw forbidden(`The function ${name} is not for clients`);
    }
  }
}

/**
 * Refuses a file where DuckDB would take it for a table. Throws LAKE_FORBIDDEN. In lists of tables
 * a comma stands before it, as it does before many an honest text: there it is the syntax tree of a
 * query that says which it is, and the plan of every statement.
 */
export function checkFileNames(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    const isQuoted = token.kind === 'string' || token.kind === 'quoted';
    if (!isQuoted || !isWord(tokens[index - 1], 'from', 'join', 'into', 'using')) continue;
    checkTableNames([token.value]);
  }
}

/** The same for names that are known to stand for tables. */
export function checkTableNames(names: readonly string[]): void {
  if (!names.some((name) => FILE_NAME.test(name))) return;
  throw forbidden('Files cannot be named in a statement: CREATE EXTERNAL TABLE fetches them');
}

/** Within what is kept (views, macros), where its text is not looked at again. */
export function checkNoFileNames(tokens: readonly Token[]): void {
  for (const token of tokens) {
    if ((token.kind === 'string' || token.kind === 'quoted') && FILE_NAME.test(token.value)) {
      throw forbidden('Files cannot be named in a view or a macro');
    }
  }
}

/** `INSERT INTO glob (a, b)` and `CREATE TABLE query (…)` name tables. */
function isNewName(tokens: readonly Token[], index: number): boolean {
  let before = index - 1;
  while (isSymbol(tokens[before], '.') && isName(tokens[before - 1])) before -= 2;
  return isWord(tokens[before], 'into', 'table', 'exists');
}

export function forbidden(message: string, cause?: unknown): LakeError {
  return new LakeError('forbidden', 'LAKE_FORBIDDEN', message, { cause });
}
