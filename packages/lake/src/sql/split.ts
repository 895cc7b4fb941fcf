// One request taken apart into its statements, at the semicolons outside of strings and brackets.
//
// Each piece that is DuckDB's is given to DuckDB's parser by itself, which must find exactly one
// statement in it (classify.ts): should this file ever be wrong, the request is refused.

import { isSymbol, type Token, tokenize } from './tokens.ts';

export interface Piece {
  /** Without the semicolon and without blanks and comments around it. */
  readonly sql: string;
  /** Offsets are of `sql`. */
  readonly tokens: readonly Token[];
}

export function splitStatements(text: string): Piece[] {
  const pieces: Piece[] = [];
  let tokens: Token[] = [];
  for (const token of tokenize(text)) {
    if (isSymbol(token, ';')) {
      if (tokens.length > 0) pieces.push(pieceOf(text, tokens));
      tokens = [];
    } else {
      tokens.push(token);
    }
  }
  if (tokens.length > 0) pieces.push(pieceOf(text, tokens));
  return pieces;
}

function pieceOf(text: string, tokens: readonly Token[]): Piece {
  const start = tokens[0]!.start;
  return {
    sql: text.slice(start, tokens.at(-1)!.end),
    tokens: tokens.map((token) => ({
      ...token,
      start: token.start - start,
      end: token.end - start,
    })),
  };
}
