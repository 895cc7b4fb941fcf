import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { maskSource, piecesOf } from './mask.ts';

function check(source: string, expected: string): void {
  assert.equal(maskSource(source), expected);
}

describe('maskSource()', () => {
  test('blanks comments and keeps lines', () => {
    check('a // b\nc /* d\ne */ f', 'a     \nc     \n     f');
    check('a /* open', 'a        ');
  });

  test('blanks the insides of strings, escapes and all', () => {
    check(`a 'b' "c\\"d" 'e`, `a ' ' "    " 'e`);
    check(`'// no comment' x`, `'             ' x`);
    // A string that is not closed ends with its line.
    check("'open\nnext", "'   n\nnext");
  });

  test('keeps strings where imports are looked for, but not in comments', () => {
    assert.equal(maskSource(`'a' // 'b'`, { keepsStrings: true }), `'a'       `);
  });

  test('knows the code in a template from its text, also when they nest', () => {
    check('`a ${b + `c ${d}` + {e}.f} g` + h', '`   {b + `   {d}` + {e}.f}  ` + h');
    check('`a\\`b` c', '`    ` c');
  });

  test('knows a regular expression from a division', () => {
    check(`a / b / c; x = /'[/]'/g; y`, `a / b / c; x = /     /g; y`);
    check(`return /"/.test(a) ? b / c : d`, `return / /.test(a) ? b / c : d`);
    check('(a) / 2; f(/`/)', '(a) / 2; f(/ /)');
  });

  test('gets through every source of its own', () => {
    const text = maskSource.toString() + piecesOf.toString();
    assert.equal(maskSource(text).length, text.length);
    assert.match(maskSource(text), /function\*? piecesOf/);
  });
});
