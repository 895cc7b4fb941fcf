// A command line in one text, taken apart as a shell does it, without being one: blanks separate,
// quotes and backslashes protect. Nothing is expanded, and `|`, `;` or `>` are what they look like.

type Quote = "'" | '"';

/** Inside of double quotes a backslash protects only these; elsewhere anything. */
const ESCAPED_IN_QUOTES = '"\\$`\n';

/** Throws RangeError where a quote is not closed, or a backslash stands at the end. */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: Quote | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === quote) {
      quote = undefined;
    } else if (quote === undefined && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && quote !== "'") {
      at += 1;
      const next = text[at];
      if (next === undefined) throw new RangeError('A backslash at the end protects nothing');
      const isProtected = quote === undefined || ESCAPED_IN_QUOTES.includes(next);
      word = (word ?? '') + (isProtected ? next : char + next);
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) throw new RangeError(`The quote ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}
