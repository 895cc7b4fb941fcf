// What Seafowl's clients take for granted of schemas, and DuckDB's grammar has otherwise.

import { LakeError } from '../engine/errors.ts';
import { TokenCursor } from './token-cursor.ts';
import { isName, isWord, type Token } from './tokens.ts';

/** DROP SCHEMA takes its tables along, unless it says RESTRICT. */
export function dropsWholeSchema(tokens: readonly Token[]): boolean {
  const [drop, schema] = tokens;
  if (!isWord(drop, 'drop') || !isWord(schema, 'schema')) return false;
  return !tokens.some((token) => isWord(token, 'cascade', 'restrict'));
}

/**
 * `ALTER TABLE t RENAME TO other.t` is refused in words: a table of DuckLake stays in its schema,
 * and a copy would have neither its history nor its constraints. Throws LAKE_PLAN.
 */
export function checkNoMove(tokens: readonly Token[]): void {
  const cursor = new TokenCursor(tokens);
  if (!cursor.tryWords('alter', 'table')) return;
  cursor.tryWords('if', 'exists');
  if (!isName(cursor.next)) return;
  cursor.qualifiedName('the name of a table');
  if (!cursor.tryWords('rename', 'to') || !isName(cursor.next)) return;
  const name = cursor.qualifiedName('a new name');
  if (name.length === 1) return;
  const schema = name.at(-2)!;
  throw new LakeError(
    'plan',
    'LAKE_PLAN',
    `A table cannot be moved to the schema "${schema}": CREATE TABLE … AS and DROP TABLE do it`,
  );
}
