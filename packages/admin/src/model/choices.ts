// The values that a CHECK allows, where it is a plain list: CHECK (status IN ('open', 'done')).
//
// Found in the text of CREATE TABLE, since SQLite has no pragma for it. A list that is not found
// costs a select in a form and no more: SQLite checks what is written.

import type { Table } from '../database/schema.ts';

const LITERAL = `'(?:[^']|'')*'|-?\\d+`;
/** More than anybody would look through. */
const CHOICES_MAX = 50;

/** The allowed values of a column, as text; undefined where there is no such list. */
export function checkedChoices(table: Table, column: string): readonly string[] | undefined {
  const name = escapeRegExp(column);
  const quoted = escapeRegExp(column.replaceAll('"', '""'));
  const list = new RegExp(
    `CHECK\\s*\\(\\s*(?:${name}|"${quoted}"|\\[${name}\\]|\`${name}\`)\\s+IN\\s*` +
      `\\(\\s*((?:${LITERAL})(?:\\s*,\\s*(?:${LITERAL}))*)\\s*\\)\\s*\\)`,
    'i',
  ).exec(table.sql)?.[1];
  if (list === undefined) return undefined;
  const values = [...list.matchAll(new RegExp(LITERAL, 'g'))].map(([literal]) => unquote(literal));
  return values.length > CHOICES_MAX ? undefined : values;
}

function unquote(literal: string): string {
  return literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : literal;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
