// What statements that define things may define, and where: tables, views, schemas, macros, in the
// lake. The first words of such a statement say it; DuckDB's grammar has them in this order only.

import { forbidden } from './check-text.ts';
import { HELPER_CATALOG } from './rewrite.ts';
import { isName, isSymbol, isWord, type Token } from './tokens.ts';

const KINDS = ['table', 'view', 'schema', 'macro', 'function'] as const;
const OTHER_CATALOGS: ReadonlySet<string> = new Set([
  'memory',
  'temp',
  'system',
  'staging',
  'pg_catalog',
  'information_schema',
  HELPER_CATALOG,
]);
export const LAKE_CATALOG = 'lake';
/** DuckLake's own tables, of which clients see nothing. */
export const LAKE_METADATA: string = `__ducklake_metadata_${LAKE_CATALOG}`;

export type DefinitionVerb = 'CREATE' | 'DROP' | 'ALTER' | 'COMMENT';

export interface Definition {
  /** `CREATE TABLE`. */
  readonly kind: string;
  /** The parts of the name of what is defined. */
  readonly target: readonly string[];
}

/** Throws LAKE_FORBIDDEN for kinds and places that are not the lake's. */
export function definitionOf(tokens: readonly Token[]): Definition {
  const verb = tokens[0]!.value.toUpperCase();
  let at = 1;
  if (isWord(tokens[at], 'or') && isWord(tokens[at + 1], 'replace')) at += 2;
  if (verb === 'COMMENT' && isWord(tokens[at], 'on')) at += 1;
  const kind = tokens[at];
  if (verb === 'COMMENT' && isWord(kind, 'column')) return { kind: 'COMMENT', target: [] };
  if (!isWord(kind, ...KINDS)) {
    throw forbidden(`${verb} ${kind?.value.toUpperCase() ?? ''} is not for clients`);
  }
  at += 1;
  // DROP MACRO TABLE: a macro that gives a table.
  if (isWord(kind, 'macro', 'function') && isWord(tokens[at], 'table')) at += 1;
  if (isWord(tokens[at], 'if')) at += isWord(tokens[at + 1], 'not') ? 3 : 2;
  const target = nameAt(tokens, at);
  checkTarget(target, kind!.value);
  return { kind: `${verb} ${kind!.value.toUpperCase()}`, target };
}

function nameAt(tokens: readonly Token[], from: number): string[] {
  const parts: string[] = [];
  for (let at = from; isName(tokens[at]); at += 2) {
    parts.push(tokens[at]!.value);
    if (!isSymbol(tokens[at + 1], '.')) break;
  }
  return parts;
}

function checkTarget(target: readonly string[], kind: string): void {
  const first = target[0]?.toLowerCase();
  const full = kind === 'schema' ? 2 : 3;
  if (target.length >= full && first !== LAKE_CATALOG) {
    throw forbidden(`Only the lake can be changed, not ${target[0]}`);
  }
  if (first === undefined || !OTHER_CATALOGS.has(first)) return;
  // A table may be called `temp`: what stands before a dot may not.
  if (target.length === 1 && kind !== 'schema') return;
  throw first === 'staging'
    ? forbidden('The staging schema can only be referenced via CREATE EXTERNAL TABLE')
    : forbidden(`Only the lake can be changed, not ${first}`);
}
