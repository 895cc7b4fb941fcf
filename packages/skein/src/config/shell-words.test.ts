import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { splitShellWords } from './shell-words.ts';

describe('splitShellWords()', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    [' \t\n ', []],
    ['node server.js', ['node', 'server.js']],
    ['  node   server.js  ', ['node', 'server.js']],
    [`sh -c 'echo "hi" > x'`, ['sh', '-c', 'echo "hi" > x']],
    ['echo "a b"c', ['echo', 'a bc']],
    [`echo '' ""`, ['echo', '', '']],
    ['echo a\\ b', ['echo', 'a b']],
    [String.raw`echo "a\"b\n"`, ['echo', String.raw`a"b\n`]],
    [String.raw`echo 'a\b'`, ['echo', String.raw`a\b`]],
    ['a|b;c > d', ['a|b;c', '>', 'd']],
  ];
  for (const [text, words] of cases) {
    test(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(splitShellWords(text), words));
  }

  for (const text of [`it's`, 'say "no', 'end\\']) {
    test(`rejects ${text}`, () => assert.throws(() => splitShellWords(text), RangeError));
  }

  test('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
        assert.deepEqual(splitShellWords(quoted.join(' ')), words);
      }),
    );
  });
});
