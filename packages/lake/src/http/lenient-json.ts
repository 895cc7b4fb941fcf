// JSON as people paste it into a shell: with the line breaks of their SQL inside of strings, which
// JSON does not allow. They are taken as what they are meant; all else is as JSON.parse() has it.

const QUOTE = '"';
const BACKSLASH = '\\';

/** Throws SyntaxError. */
export function parseLenientJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const escaped = escapeControls(text);
    if (escaped === text) throw error;
    return JSON.parse(escaped);
  }
}

/** Control characters inside of strings become escapes. */
function escapeControls(text: string): string {
  let escaped = '';
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (isString && char === BACKSLASH) {
      escaped += char + (text[i + 1] ?? '');
      i += 1;
      continue;
    }
    if (char === QUOTE) isString = !isString;
    escaped += isString && char < ' ' ? JSON.stringify(char).slice(1, -1) : char;
  }
  return escaped;
}
