// What has to be known of a text of SQL before SQLite has seen it: its statements, the word it
// begins with, its parameters in the order of their numbers. As SQLite's tokenizer has them
// (https://sqlite.org/lang_expr.html#varparam, src/tokenize.c, src/complete.c).
//
// It decides nothing about the meaning of a statement: that is asked of SQLite.

interface Token {
  readonly kind: 'word' | 'parameter' | 'semicolon' | 'other';
  readonly text: string;
  readonly end: number;
}

/** Beyond ASCII, SQLite takes every character for a letter. */
const LETTER = String.raw`A-Za-z_\u0080-\u{10ffff}`;
const WORD_REST = `[${LETTER}0-9$]*`;
const NAME = `[${LETTER}0-9$]+`;

/** What tokens are made of; blanks and comments are matched too, and are none. */
const TOKEN = new RegExp(
  [
    String.raw`(?<blank>\s+|--[^\n]*|/\*[^]*?(?:\*/|$))`,
    `(?<word>[${LETTER}]${WORD_REST})`,
    // The names of $ are those of Tcl: $a::b(c).
    String.raw`(?<parameter>\?\d*|[:@$]${NAME}(?:::${NAME}){0,99}(?:\([^\s)]*\))?)`,
    '(?<semicolon>;)',
    // A literal may have megabytes, and each repetition of a group needs stack: one with very many
    // doubled quotes is several tokens, of which each but the last ends within a pair.
    `'[^']*(?:''[^']*){0,999}'?`,
    `"[^"]*(?:""[^"]*){0,999}"?`,
    '`[^`]*(?:``[^`]*){0,999}`?',
    String.raw`\[[^\]]*\]?`,
    // Numbers, with whatever letters stand behind them.
    `[0-9.][${LETTER}0-9.]*`,
    '[^]',
  ].join('|'),
  'gu',
);

function* tokensOf(sql: string): Generator<Token> {
  for (const match of sql.matchAll(TOKEN)) {
    const { blank, word, parameter, semicolon } = match.groups!;
    if (blank !== undefined) continue;
    const [text] = match;
    const end = match.index + text.length;
    if (word !== undefined) yield { kind: 'word', text, end };
    else if (parameter !== undefined) yield { kind: 'parameter', text, end };
    else yield { kind: semicolon === undefined ? 'other' : 'semicolon', text, end };
  }
}

export interface SqlOutline {
  /** Words, in capitals, up to the first few: enough to tell statements apart. */
  readonly words: readonly string[];
  readonly parameters: Parameters;
}

/**
 * By number, from 1: the name with its sign, `?` for one without a name, undefined for a number
 * that none has.
 */
export type Parameters = readonly (string | undefined)[];

const WORD_COUNT_MAX = 4;

/** Of one statement. */
export function outlineOf(sql: string): SqlOutline {
  const words: string[] = [];
  const parameters: (string | undefined)[] = [];
  const names = new Set<string>();
  for (const { kind, text } of tokensOf(sql)) {
    if (kind === 'word' && words.length < WORD_COUNT_MAX) words.push(text.toUpperCase());
    if (kind !== 'parameter' || parameters.length >= PARAMETER_NUMBER_MAX || names.has(text)) {
      continue;
    }
    if (text !== '?') names.add(text);
    const number = /^\?\d/.test(text) ? Number(text.slice(1)) : parameters.length + 1;
    if (number < 1 || number > PARAMETER_NUMBER_MAX) continue;
    while (parameters.length < number) parameters.push(undefined);
    parameters[number - 1] = text;
  }
  return { words, parameters };
}

/** SQLite's own limit; more parameters are an error that SQLite reports. */
const PARAMETER_NUMBER_MAX = 32_766;

/**
 * The statements of a script, in their order. The body of a trigger has semicolons inside of it and
 * ends at `; END;`.
 */
export function statementsOf(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let words: string[] = [];
  let isEmpty = true;
  /** In the body of a trigger: how much of `; END ;` has been read. */
  let endStage = 0;
  for (const { kind, text, end } of tokensOf(script)) {
    if (kind === 'word' && words.length < WORD_COUNT_MAX) words.push(text.toUpperCase());
    if (kind !== 'semicolon') {
      isEmpty = false;
      endStage = endStage === 1 && text.toUpperCase() === 'END' ? 2 : 0;
      continue;
    }
    if (isTrigger(words) && endStage !== 2) {
      endStage = 1;
      continue;
    }
    if (!isEmpty) statements.push(script.slice(start, end).trim());
    [start, words, isEmpty, endStage] = [end, [], true, 0];
  }
  if (!isEmpty) statements.push(script.slice(start).trim());
  return statements;
}

function isTrigger(words: readonly string[]): boolean {
  const rest = words.filter((word) => !['EXPLAIN', 'QUERY', 'PLAN'].includes(word));
  if (rest[0] !== 'CREATE') return false;
  return rest[1] === 'TRIGGER' || (rest[1]?.startsWith('TEMP') === true && rest[2] === 'TRIGGER');
}
