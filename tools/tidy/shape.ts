// Sizes of files and lines. What was too large before the rule is in a list that only shrinks.

import { type Rule, sourcesOf, type Tree, type Violation } from './tree.ts';

const LINE_COUNT_MAX = 500;
export const LINE_LENGTH_MAX = 100;

/** Files that may be longer, each with the number of lines it has. Only ever shorten this. */
export type Ratchet = Readonly<Record<string, number>>;

const RATCHET: Ratchet = {};

export const checkFileSizes: Rule = (tree) => compareFileSizes(tree, RATCHET);

export function compareFileSizes(tree: Tree, ratchet: Ratchet): Violation[] {
  const lineCounts = new Map(
    sourcesOf(tree).map(({ path, text }) => [path, text.trimEnd().split('\n').length]),
  );
  const tooLong = [...lineCounts].flatMap(([path, count]) => {
    const max = ratchet[path] ?? LINE_COUNT_MAX;
    if (count <= max) return [];
    return [{ path, message: `${count} lines, at most ${max}: split it by idea` }];
  });
  const loose = Object.entries(ratchet).flatMap(([path, max]) => {
    const count = lineCounts.get(path) ?? 0;
    if (count >= max && count > LINE_COUNT_MAX) return [];
    const change = count > LINE_COUNT_MAX ? `lower it to ${count}` : 'remove it';
    return [{ path, message: `Its entry in the ratchet of tools/tidy/shape.ts: ${change}` }];
  });
  return [...tooLong, ...loose];
}

/** The formatter keeps code narrow, but not comments, strings and tables. */
export const checkLineLengths: Rule = (tree) =>
  sourcesOf(tree).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      // An address cannot be broken.
      if (line.length <= LINE_LENGTH_MAX || /https?:\/\/\S{40}/.test(line)) return [];
      const message = `${line.length} columns, at most ${LINE_LENGTH_MAX}`;
      return [{ path, line: index + 1, message }];
    }),
  );
