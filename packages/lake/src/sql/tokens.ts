// DuckDB's lexical structure: words, quoted names, strings, numbers, operators, comments.
//
// Whether a text is SQL is never decided here: DuckDB's parser does. This says where words are and
// where strings are, for the words that DuckDB does not know (rewrite.ts, seafowl.ts) and for names
// that no client may write (check-text.ts). A text that DuckDB would read differently is refused
// instead of guessed: an open quote, U&'', a NUL.

import { LakeError } from '../engine/errors.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** A word in lower case, a quoted name or a string without its quotes, else as it is written. */
  readonly value: string;
  /** Where it begins in the text, and where it ends. */
  readonly start: number;
  readonly end: number;
}

/** As long as a request may be; the server has a limit of its own before. */
const TEXT_LENGTH_MAX = 16 * 1024 * 1024;

/** What DuckDB takes for a blank; it takes some more of Unicode's for one than JavaScript does. */
const SPACE = /[\s\u0085\u180e\u200b-\u200f\u2060-\u206f]/u;
const WORD_START = /[\p{L}_\u0080-\uffff]/u;
const WORD_PART = /[\p{L}\p{N}_$\u0080-\uffff]/u;
const NUMBER = /(?:0[xX][\da-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][+-]?\d+)?)/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const PARAMETER = /\$\w+/y;
/** Symbols of several characters that matter to nobody here are several tokens. */
const PAIRS = new Set(['::', '=>', ':=', '->']);

export function tokenize(text: string): Token[] {
  if (text.length > TEXT_LENGTH_MAX) throw malformed('The statement is too long', 0);
  const end = text.indexOf('\0');
  if (end !== -1) throw malformed('The statement has a NUL character', end);
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = skipBlank(text, at);
    if (at >= text.length) return tokens;
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
}

/** Whether the token is this word, which was not quoted. */
export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.value);
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.value === symbol;
}

/** Whether it can name something: a word, keyword or not, or a quoted name. */
export function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted';
}

function tokenAt(text: string, start: number): Token {
  const char = text[start]!;
  if (char === "'") return stringAt(text, start, start);
  if (/[eE]/.test(char) && text[start + 1] === "'") return escapedStringAt(text, start);
  // x'' and b'' are strings too; what they hold does not matter.
  if (/[xXbB]/.test(char) && text[start + 1] === "'") return stringAt(text, start, start + 1);
  if (char === '"') return quotedAt(text, start);
  if (char === '$') return dollarAt(text, start);
  if (/\d/.test(char) || (char === '.' && /\d/.test(text[start + 1] ?? ''))) {
    return numberAt(text, start);
  }
  if (WORD_START.test(char)) return wordAt(text, start);
  const pair = text.slice(start, start + 2);
  const value = PAIRS.has(pair) ? pair : char;
  return { kind: 'symbol', value, start, end: start + value.length };
}

/** After blanks and comments; comments nest, as in PostgreSQL. */
function skipBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && SPACE.test(text[at]!)) at += 1;
    if (text.startsWith('--', at)) at = endOfLine(text, at);
    else if (text.startsWith('/*', at)) at = endOfComment(text, at);
    else return at;
  }
}

function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('/*', at)) {
      depth += 1;
      at += 1;
    } else if (text.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  throw malformed('A comment is not closed', from);
}

function stringAt(text: string, start: number, quote: number): Token {
  let at = quote + 1;
  for (; at < text.length; at += 1) {
    if (text[at] !== "'") continue;
    if (text[at + 1] !== "'") {
      const value = text.slice(quote + 1, at).replaceAll("''", "'");
      return { kind: 'string', value, start, end: at + 1 };
    }
    at += 1;
  }
  throw malformed('A string is not closed', start);
}

/** E'…': a backslash takes the next character with it. */
function escapedStringAt(text: string, start: number): Token {
  for (let at = start + 2; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === "'" && text[at + 1] === "'") at += 1;
    else if (text[at] === "'") {
      return { kind: 'string', value: text.slice(start + 2, at), start, end: at + 1 };
    }
  }
  throw malformed('A string is not closed', start);
}

function quotedAt(text: string, start: number): Token {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') {
      const value = text.slice(start + 1, at).replaceAll('""', '"');
      return { kind: 'quoted', value, start, end: at + 1 };
    }
    at += 1;
  }
  throw malformed('A quoted name is not closed', start);
}

/** `$1`, `$name`, or a string between equal tags. */
function dollarAt(text: string, start: number): Token {
  DOLLAR_TAG.lastIndex = start;
  const tag = DOLLAR_TAG.exec(text)?.[0];
  if (tag === undefined) {
    PARAMETER.lastIndex = start;
    const value = PARAMETER.exec(text)?.[0] ?? '$';
    return { kind: 'parameter', value, start, end: start + value.length };
  }
  const close = text.indexOf(tag, start + tag.length);
  if (close < 0) throw malformed('A string is not closed', start);
  const value = text.slice(start + tag.length, close);
  return { kind: 'string', value, start, end: close + tag.length };
}

function numberAt(text: string, start: number): Token {
  NUMBER.lastIndex = start;
  const value = NUMBER.exec(text)?.[0] ?? text[start]!;
  return { kind: 'number', value, start, end: start + value.length };
}

function wordAt(text: string, start: number): Token {
  let end = start + 1;
  while (end < text.length && WORD_PART.test(text[end]!) && !SPACE.test(text[end]!)) end += 1;
  // U&"…" spells names by code points: nobody could say what is written there.
  if (end === start + 1 && /^[uU]&['"]/.test(text.slice(start, start + 3))) {
    throw malformed("U&'' is not supported", start);
  }
  return { kind: 'word', value: text.slice(start, end).toLowerCase(), start, end };
}

function malformed(what: string, at: number): LakeError {
  return new LakeError('parse', 'LAKE_PARSE', `${what} (character ${at + 1})`);
}
