// Reads a statement token by token, for the few that DuckDB's grammar does not have.

import { LakeError } from '../engine/errors.ts';
import { isName, isSymbol, isWord, type Token } from './tokens.ts';

export class TokenCursor {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token | undefined {
    return this.#tokens[this.#index];
  }

  get isAtEnd(): boolean {
    return this.#index >= this.#tokens.length;
  }

  /** Takes these words if all of them are next. */
  tryWords(...words: readonly string[]): boolean {
    const isThere = words.every((word, offset) => isWord(this.#tokens[this.#index + offset], word));
    if (isThere) this.#index += words.length;
    return isThere;
  }

  trySymbol(symbol: string): boolean {
    const isThere = isSymbol(this.next, symbol);
    if (isThere) this.#index += 1;
    return isThere;
  }

  words(...words: readonly string[]): void {
    if (!this.tryWords(...words)) throw this.unexpected(words.join(' ').toUpperCase());
  }

  symbol(symbol: string): void {
    if (!this.trySymbol(symbol)) throw this.unexpected(symbol);
  }

  /** A word or quoted name. */
  name(what: string): string {
    const token = this.next;
    if (!isName(token)) throw this.unexpected(what);
    this.#index += 1;
    return token.value;
  }

  string(what: string): string {
    const token = this.next;
    if (token?.kind !== 'string') throw this.unexpected(what);
    this.#index += 1;
    return token.value;
  }

  take(): Token {
    const token = this.next;
    if (token === undefined) throw this.unexpected('more');
    this.#index += 1;
    return token;
  }

  /** `a.b.c` as its parts. */
  qualifiedName(what: string): string[] {
    const parts = [this.name(what)];
    while (this.trySymbol('.')) parts.push(this.name(what));
    return parts;
  }

  end(): void {
    if (!this.isAtEnd) throw this.unexpected('the end of the statement');
  }

  unexpected(what: string): LakeError {
    const found = this.next === undefined ? 'the end of the statement' : this.next.value;
    return new LakeError('parse', 'LAKE_PARSE', `Expected ${what}, found ${found}`);
  }
}

/** `"a""b"`: safe in any statement. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
