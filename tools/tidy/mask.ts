// Tells code from what only looks like it: comments, strings, templates, regular expressions.
//
// A scanner, not a parser (TypeScript 7 has no API to ask). Its one guess is whether a slash
// divides or begins a regular expression, which the character before it decides well enough.

export interface Piece {
  readonly kind: 'comment' | 'string' | 'regex' | 'template';
  readonly start: number;
  /** Past its last character. */
  readonly end: number;
}

/**
 * The text with comments, and the insides of all else that is no code, as blanks: offsets and lines
 * stay true. `keepsStrings` leaves strings as they are, for the sake of those in imports.
 */
export function maskSource(
  text: string,
  options: { readonly keepsStrings?: boolean } = {},
): string {
  const chars = text.split('');
  for (const { kind, start, end } of piecesOf(text)) {
    if (kind === 'string' && options.keepsStrings === true) continue;
    const border = kind === 'comment' ? 0 : 1;
    for (let index = start + border; index < end - border; index += 1) {
      if (chars[index] !== '\n') chars[index] = ' ';
    }
  }
  return chars.join('');
}

/**
 * All pieces that are no code, in order. A template is a piece up to each `${`, and from its `}`.
 */
export function* piecesOf(text: string): Generator<Piece> {
  let depth = 0;
  /** The depth of braces at which each open `${` began. */
  const templates: number[] = [];
  for (let index = 0; index < text.length;) {
    const piece = pieceAt(text, index, templates.at(-1) === depth);
    if (piece === undefined) {
      if (text[index] === '{') depth += 1;
      if (text[index] === '}') depth -= 1;
      index += 1;
      continue;
    }
    if (piece.kind === 'template') {
      if (text[index] === '}') templates.pop();
      if (text[piece.end - 1] === '{') templates.push(depth);
    }
    yield piece;
    index = piece.end;
  }
}

function pieceAt(text: string, start: number, isInTemplate: boolean): Piece | undefined {
  const char = text[start];
  if (text.startsWith('//', start)) {
    return { kind: 'comment', start, end: endOf(text, '\n', start) };
  }
  if (text.startsWith('/*', start)) {
    return { kind: 'comment', start, end: Math.min(text.length, endOf(text, '*/', start + 2) + 2) };
  }
  if (char === "'" || char === '"') {
    return { kind: 'string', start, end: endOfQuoted(text, start) };
  }
  if (char === '`' || (char === '}' && isInTemplate)) {
    return { kind: 'template', start, end: endOfTemplatePart(text, start) };
  }
  if (char === '/' && beginsRegex(text, start)) {
    return { kind: 'regex', start, end: endOfRegex(text, start) };
  }
  return undefined;
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end;
}

/** Past the closing quote, or at the end of the line for a string that is not closed. */
function endOfQuoted(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === text[start]) return index + 1;
    else if (text[index] === '\n') return index;
  }
  return text.length;
}

/** Past the closing backtick, or past the `${` at which code begins. */
function endOfTemplatePart(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '`') return index + 1;
    else if (text.startsWith('${', index)) return index + 2;
  }
  return text.length;
}

function beginsRegex(text: string, slash: number): boolean {
  const lineStart = text.lastIndexOf('\n', slash) + 1;
  const before = text.slice(lineStart, slash).trimEnd();
  return before === '' || /(?:[([{,;:=!&|?+\-*%~^<>]|\b(?:return|typeof|case))$/.test(before);
}

function endOfRegex(text: string, start: number): number {
  let isInClass = false;
  for (let index = start + 1; index < text.length; index += 1) {
    const char = text[index]!;
    if (char === '\\') index += 1;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) return index + 1;
    else if (char === '\n') return index;
  }
  return text.length;
}
