// Words that have no place in any file: what only one machine knows, and what was left for later.

import { lineAt, type Rule } from './tree.ts';

interface Word {
  readonly pattern: RegExp;
  readonly message: string;
}

// Each with a letter in brackets, so that this file does not contain what it bans.
const WORDS: readonly Word[] = [
  {
    pattern: /\/wor[k]\/|\/roo[t]\/|\/tmp\/bash_job[s]/g,
    message: 'is a path of one machine',
  },
  {
    pattern: /registry\.(?:npmj[s]\.org|yarnpk[g]\.com)/g,
    message: 'names one registry; npm leaves it out with omit-lockfile-registry-resolved',
  },
  {
    pattern: /\b(?:TOD[O]|FIXM[E])\b/g,
    message: 'is for later: do it, or open an issue',
  },
];

export const checkBannedWords: Rule = (tree) =>
  [...tree].flatMap(([path, text]) =>
    WORDS.flatMap(({ pattern, message }) =>
      [...text.matchAll(pattern)].map((match) => ({
        path,
        line: lineAt(text, match.index),
        message: `"${match[0]}" ${message}`,
      })),
    ),
  );
