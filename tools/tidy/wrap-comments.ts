// Wraps comments that are wider than the rule allows; the formatter leaves comments alone.
//
// Only prose on lines of its own is touched, from its first line that is too long to the end of its
// paragraph. Tables, lists and comments beside code keep the shape that somebody gave them.

import { piecesOf } from './mask.ts';

/** `    // text` and ` * text`: what stands before the text, and the text. */
const COMMENT_LINE = /^(\s*(?:\/\/|\*) )(\S.*)$/;
const ONE_LINE_BLOCK = /^(\s*)\/\*\* (.*) \*\/$/;

export function wrapComments(text: string, widthMax: number): string {
  const isComment = commentLines(text);
  const lines = text.split('\n').flatMap((line, index) => {
    const block = isComment.has(index) && line.length > widthMax ? ONE_LINE_BLOCK.exec(line) : null;
    if (block === null) return [{ line, isComment: isComment.has(index) }];
    const [, indent = '', content = ''] = block;
    return [`${indent}/**`, `${indent} * ${content}`, `${indent} */`].map((part) => ({
      line: part,
      isComment: true,
    }));
  });
  const wrapped: string[] = [];
  for (let index = 0; index < lines.length;) {
    const paragraph = paragraphAt(lines, index);
    const tooLong = paragraph.findIndex((line) => line.length > widthMax);
    wrapped.push(...paragraph.slice(0, tooLong === -1 ? undefined : tooLong));
    if (tooLong !== -1) wrapped.push(...fill(paragraph.slice(tooLong), widthMax));
    index += Math.max(1, paragraph.length);
    if (paragraph.length === 0) wrapped.push(lines[index - 1]!.line);
  }
  return wrapped.join('\n');
}

/** Numbers of the lines that begin inside of a comment, or with one. */
function commentLines(text: string): Set<number> {
  const lines = new Set<number>();
  for (const { kind, start, end } of piecesOf(text)) {
    if (kind !== 'comment') continue;
    const isAlone = text.slice(text.lastIndexOf('\n', start) + 1, start).trim() === '';
    const first = text.slice(0, start).split('\n').length - 1;
    const count = text.slice(start, end).split('\n').length;
    for (let line = isAlone ? 0 : 1; line < count; line += 1) lines.add(first + line);
  }
  return lines;
}

/** The lines of prose from this one on that stand behind the same marks; none if it is no prose. */
function paragraphAt(
  lines: readonly { readonly line: string; readonly isComment: boolean }[],
  start: number,
): string[] {
  const prefix = prefixOfProse(lines[start]);
  if (prefix === undefined) return [];
  const count = lines.slice(start).findIndex((line) => prefixOfProse(line) !== prefix);
  return lines.slice(start, count === -1 ? undefined : start + count).map(({ line }) => line);
}

function prefixOfProse(
  entry: { readonly line: string; readonly isComment: boolean } | undefined,
): string | undefined {
  if (entry?.isComment !== true) return undefined;
  const [, prefix, text = ''] = COMMENT_LINE.exec(entry.line) ?? [];
  const isShaped = /^(?:[-*@|]|\d+[.) ])| {3}|\|/.test(text);
  return isShaped ? undefined : prefix;
}

function fill(lines: readonly string[], widthMax: number): string[] {
  const [, prefix = ''] = COMMENT_LINE.exec(lines[0]!) ?? [];
  const words = lines.flatMap((line) => line.slice(prefix.length).split(' '));
  const filled: string[] = [];
  let line = prefix;
  for (const word of words) {
    const longer = line === prefix ? prefix + word : `${line} ${word}`;
    if (longer.length > widthMax && line !== prefix) {
      filled.push(line);
      line = prefix + word;
    } else {
      line = longer;
    }
  }
  return [...filled, line];
}
