// COPY … TO: results as files, in the one folder that the configuration names for it, or nowhere.
//
// DataFusion's `STORED AS format` becomes DuckDB's `(FORMAT format)`. COPY … FROM is refused: files
// come in by CREATE EXTERNAL TABLE and uploads, which know where from.

import { isAbsolute, join, normalize } from 'node:path';

import { forbidden } from './check-text.ts';
import { applyEdits } from './rewrite.ts';
import { type Piece } from './split.ts';
import { quoteText } from './token-cursor.ts';
import { isSymbol, isWord, type Token } from './tokens.ts';

const FORMATS: ReadonlySet<string> = new Set(['parquet', 'csv', 'json']);

/** The statement with its target in the folder. Throws LAKE_FORBIDDEN. */
export function copyIntoFolder(piece: Piece, folder: string | undefined): string {
  const { tokens, sql } = piece;
  const at = targetIndex(tokens);
  const target = tokens[at];
  if (target?.kind !== 'string') throw forbidden('COPY can only write files, and only TO a name');
  if (folder === undefined) {
    throw forbidden('COPY TO is off: the configuration names no folder for exported files');
  }
  const edits = [
    { start: target.start, end: target.end, text: quoteText(pathWithin(folder, target.value)) },
  ];
  if (isWord(tokens[at + 1], 'stored') && isWord(tokens[at + 2], 'as')) {
    const format = tokens[at + 3];
    if (format === undefined || !FORMATS.has(format.value.toLowerCase())) {
      throw forbidden('COPY TO writes PARQUET, CSV or JSON');
    }
    edits.push({
      start: tokens[at + 1]!.start,
      end: format.end,
      text: `(FORMAT ${format.value})`,
    });
  }
  return applyEdits(sql, edits);
}

/** Of what follows TO outside of all brackets. */
function targetIndex(tokens: readonly Token[]): number {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (isSymbol(token, '(')) depth += 1;
    if (isSymbol(token, ')')) depth -= 1;
    if (depth === 0 && isWord(token, 'to')) return index + 1;
  }
  return tokens.length;
}

function pathWithin(folder: string, name: string): string {
  const relative =
    isAbsolute(name) && name.startsWith(`${folder}/`) ? name.slice(folder.length + 1) : name;
  const path = normalize(relative);
  if (isAbsolute(path) || path.startsWith('..') || path === '.' || /^[a-z][\w+.-]*:/i.test(path)) {
    throw forbidden('COPY TO writes into the folder for exported files only');
  }
  return join(folder, path);
}
