import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkBannedWords } from './banned-words.ts';
import { findings, treeOf } from './fixture.ts';

/** Joins halves, so that this file does not contain what it tests. */
const word = (...halves: readonly string[]): string => halves.join('');

describe('checkBannedWords()', () => {
  test('finds them in any text file, with their line', () => {
    for (const banned of [
      word('/wo', 'rk/main'),
      word('/ro', 'ot/.npm'),
      word('/tmp/bash_', 'jobs.0'),
      word('https://registry.npm', 'js.org/x'),
      word('TO', 'DO: later'),
      word('FIX', 'ME'),
    ]) {
      for (const path of ['docs/x.md', 'package-lock.json', '.ci/run', 'packages/ltx/src/x.ts']) {
        assert.match(
          findings(checkBannedWords, treeOf({ [path]: `\n${banned}` }))[0]!,
          /:2 "/,
          banned,
        );
      }
    }
  });

  test('leaves words alone that only contain one', () => {
    const text = word('TO', 'DOS, /wo', 'rkers/, /tmp/x, fix', 'me');
    assert.deepEqual(findings(checkBannedWords, treeOf({ 'x.md': text })), []);
  });
});
