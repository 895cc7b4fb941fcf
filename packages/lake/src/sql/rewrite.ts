// Seafowl's words inside of DuckDB's statements: `t('timestamp')` in FROM, `system.table_versions`,
// and types that DuckDB spells differently. Tokens are replaced where they stand; everything else
// of the text stays as the client wrote it.

import { type Piece } from './split.ts';
import { maybeParseInstant } from './timestamps.ts';
import { isName, isSymbol, isWord, type Token } from './tokens.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Views beside the lake, made in helper-schema.ts. */
const SYSTEM_TABLES: ReadonlySet<string> = new Set(['table_versions', 'dropped_tables']);
export const HELPER_CATALOG = 'skein';

/** Words that end the list of tables in FROM. */
const AFTER_FROM = [
  'where',
  'group',
  'having',
  'order',
  'limit',
  'window',
  'qualify',
  'union',
  'intersect',
  'except',
  'select',
  'set',
  'returning',
  'offset',
  'sample',
] as const;
/** What may follow a table and is not its alias. */
const NO_ALIAS: ReadonlySet<string> = new Set([
  ...AFTER_FROM,
  'anti',
  'asof',
  'at',
  'cross',
  'full',
  'inner',
  'join',
  'lateral',
  'left',
  'natural',
  'on',
  'outer',
  'pivot',
  'positional',
  'right',
  'semi',
  'tablesample',
  'unpivot',
  'using',
  'when',
]);

export function rewriteQuery(piece: Piece): string {
  return applyEdits(piece.sql, [...timeTravel(piece.tokens), ...systemTables(piece.tokens)]);
}

/** The same for what defines columns. */
export function rewriteDefinition(piece: Piece): string {
  return applyEdits(piece.sql, [
    ...timeTravel(piece.tokens),
    ...systemTables(piece.tokens),
    ...types(columnDefinitions(piece.tokens)),
  ]);
}

/** What is between the brackets of `CREATE TABLE t (…)`, or all of an ALTER. */
function columnDefinitions(tokens: readonly Token[]): readonly Token[] {
  if (!isWord(tokens[0], 'create')) return tokens;
  const open = tokens.findIndex((token) => isSymbol(token, '(') || isWord(token, 'as'));
  if (!isSymbol(tokens[open], '(')) return [];
  let depth = 0;
  const close = tokens.findIndex((token, index) => {
    if (index < open) return false;
    if (isSymbol(token, '(')) depth += 1;
    if (isSymbol(token, ')')) depth -= 1;
    return depth === 0;
  });
  return tokens.slice(open, close);
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let changed = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) {
    changed = changed.slice(0, edit.start) + edit.text + changed.slice(edit.end);
  }
  return changed;
}

/** Whether a name at this position stands in the list of tables, by bracket depth. */
class FromTracker {
  readonly #depths: { isQuery: boolean; isFrom: boolean }[] = [{ isQuery: true, isFrom: false }];
  #isTablePlace = false;

  /** Whether a table is expected at the token after this one. */
  step(token: Token, previous: Token | undefined): boolean {
    const depth = this.#depths.at(-1)!;
    if (isSymbol(token, '(')) {
      // `trim(both FROM x)` is no list of tables; `IN (SELECT …)` becomes a query at its SELECT.
      const isCall = isName(previous) && !NO_ALIAS.has(previous.value) && previous.value !== 'from';
      const isTable = this.#isTablePlace;
      this.#depths.push({ isQuery: !isCall, isFrom: isTable && !isCall });
      this.#isTablePlace = isTable && !isCall;
      return this.#isTablePlace;
    }
    if (isSymbol(token, ')')) {
      if (this.#depths.length > 1) this.#depths.pop();
      this.#isTablePlace = false;
      return false;
    }
    if (isWord(token, 'select')) depth.isQuery = true;
    if (isWord(token, 'from') && depth.isQuery) depth.isFrom = true;
    if (isWord(token, ...AFTER_FROM)) depth.isFrom = false;
    this.#isTablePlace =
      (depth.isFrom && (isWord(token, 'from', 'join', 'lateral') || isSymbol(token, ','))) ||
      (isWord(token, 'using') && depth.isQuery);
    return this.#isTablePlace;
  }
}

/** `t('2022-01-01 20:01:01') AS x` becomes `t AS x AT (TIMESTAMP => …)`. */
function timeTravel(tokens: readonly Token[]): Edit[] {
  const edits: Edit[] = [];
  const tracker = new FromTracker();
  for (const [index, token] of tokens.entries()) {
    if (!tracker.step(token, tokens[index - 1])) continue;
    const open = endOfName(tokens, index + 1);
    const [text, close] = [tokens[open + 1], tokens[open + 2]];
    if (open === index + 1 || !isSymbol(tokens[open], '(')) continue;
    if (text?.kind !== 'string' || !isSymbol(close, ')')) continue;
    const instant = maybeParseInstant(text.value);
    if (instant === undefined) continue;
    const after = tokens[endOfAlias(tokens, open + 3) - 1]!.end;
    edits.push(
      { start: tokens[open]!.start, end: close!.end, text: '' },
      { start: after, end: after, text: ` AT (TIMESTAMP => TIMESTAMPTZ '${instant}')` },
    );
  }
  return edits;
}

/** The index after `a.b.c`. */
function endOfName(tokens: readonly Token[], from: number): number {
  if (!isName(tokens[from])) return from;
  let at = from + 1;
  while (isSymbol(tokens[at], '.') && isName(tokens[at + 1])) at += 2;
  return at;
}

/** The index after `AS x (a, b)`. */
function endOfAlias(tokens: readonly Token[], from: number): number {
  let at = from;
  if (isWord(tokens[at], 'as')) at += 1;
  const token = tokens[at];
  if (!isName(token) || (token.kind === 'word' && NO_ALIAS.has(token.value))) return from;
  at += 1;
  if (!isSymbol(tokens[at], '(')) return at;
  while (at < tokens.length && !isSymbol(tokens[at], ')')) at += 1;
  return at + 1;
}

/** DuckDB has a database that is called `system`, so a schema of that name cannot be reached. */
function systemTables(tokens: readonly Token[]): Edit[] {
  return tokens.flatMap((token, index) => {
    const table = tokens[index + 2];
    const isSystem = isWord(token, 'system') && isSymbol(tokens[index + 1], '.');
    if (!isSystem || isSymbol(tokens[index - 1], '.')) return [];
    if (!isName(table) || !SYSTEM_TABLES.has(table.value)) return [];
    return [{ start: token.start, end: token.end, text: `${HELPER_CATALOG}.system` }];
  });
}

const UNSIGNED: Readonly<Record<string, string>> = {
  tinyint: 'UTINYINT',
  smallint: 'USMALLINT',
  int: 'UINTEGER',
  integer: 'UINTEGER',
  bigint: 'UBIGINT',
};
/** DataFusion's default; DuckDB's is (18, 3). */
export const DECIMAL_DEFAULT = '(38, 10)';

/** `INT UNSIGNED`, and `NUMERIC` without digits. */
function types(tokens: readonly Token[]): Edit[] {
  return tokens.flatMap((token, index) => {
    const next = tokens[index + 1];
    const unsigned = token.kind === 'word' ? UNSIGNED[token.value] : undefined;
    if (unsigned !== undefined && isWord(next, 'unsigned')) {
      return [{ start: token.start, end: next!.end, text: unsigned }];
    }
    // A column may be called `numeric`: its type follows it, or nothing does.
    const isType = isWord(token, 'numeric', 'decimal') && isName(tokens[index - 1]);
    if (!isType || isSymbol(next, '(')) return [];
    return [{ start: token.end, end: token.end, text: DECIMAL_DEFAULT }];
  });
}
