import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { wrapComments } from './wrap-comments.ts';

function check(before: readonly string[], after: readonly string[]): void {
  assert.equal(wrapComments(before.join('\n'), 20), after.join('\n'));
  assert.equal(wrapComments(after.join('\n'), 20), after.join('\n'), 'a second time');
}

describe('wrapComments()', () => {
  test('fills a paragraph from its first line that is too long', () => {
    check(
      ['// short', '// one two three four five', '// six', '//', '// next', 'code();'],
      ['// short', '// one two three', '// four five six', '//', '// next', 'code();'],
    );
  });

  test('keeps indents and the marks of blocks', () => {
    check(
      ['  /**', '   * one two three four five', '   * six', '   */', '  f();'],
      ['  /**', '   * one two three', '   * four five six', '   */', '  f();'],
    );
    check(['  /** one two three */'], ['  /**', '   * one two three', '   */']);
  });

  test('leaves tables, lists, code, strings and what fits', () => {
    for (const line of [
      '// - one two three four five',
      '// 0   u32   magic number here',
      '// 1. one two three four five',
      '//   one two three four five six',
      'const x = 1; // one two three four',
      'const text = `',
      '// one two',
    ]) {
      check([line], [line]);
    }
    const template = ['const text = `', '// one two three four five', '`;'];
    check(template, template);
  });

  test('a word that is too long stands alone', () => {
    const address = 'https://example.org/long';
    check([`// see ${address} there`], ['// see', `// ${address}`, '// there']);
  });
});
