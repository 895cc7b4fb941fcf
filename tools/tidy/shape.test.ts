import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { findings, treeOf } from './fixture.ts';
import { checkFileSizes, checkLineLengths, compareFileSizes } from './shape.ts';

const lines = (count: number): string => 'x;\n'.repeat(count);

describe('checkFileSizes()', () => {
  test('refuses 501 lines and allows 500', () => {
    assert.deepEqual(findings(checkFileSizes, treeOf({ 'tools/x.ts': lines(500) })), []);
    const found = findings(checkFileSizes, treeOf({ 'tools/x.ts': lines(501) }));
    assert.match(found[0]!, /tools\/x\.ts: 501 lines, at most 500/);
  });

  test('looks at no data', () => {
    assert.deepEqual(findings(checkFileSizes, treeOf({ 'a/testdata/x.ts': lines(900) })), []);
    assert.deepEqual(findings(checkFileSizes, treeOf({ 'docs/x.md': lines(900) })), []);
  });

  test('the ratchet allows what it names, may not be loose, and shrinks', () => {
    const check = (count: number, ratchet: Record<string, number>): string[] =>
      findings((tree) => compareFileSizes(tree, ratchet), treeOf({ 'x.ts': lines(count) }));
    assert.deepEqual(check(600, { 'x.ts': 600 }), []);
    assert.match(check(601, { 'x.ts': 600 })[0]!, /601 lines, at most 600/);
    assert.match(check(590, { 'x.ts': 600 })[0]!, /lower it to 590/);
    assert.match(check(400, { 'x.ts': 600 })[0]!, /remove it/);
    assert.match(check(600, { 'x.ts': 600, 'gone.ts': 700 })[0]!, /gone\.ts: .*remove it/);
  });
});

describe('checkLineLengths()', () => {
  const check = (line: string): string[] =>
    findings(checkLineLengths, treeOf({ 'x.ts': `short\n${line}` }));

  test('counts characters, in comments too', () => {
    assert.deepEqual(check(`// ${'ä'.repeat(97)}`), []);
    assert.match(check(`// ${'ä'.repeat(98)}`)[0]!, /x\.ts:2 101 columns/);
  });

  test('lets an address stand that cannot be broken', () => {
    assert.deepEqual(check(`// https://example.org/${'a'.repeat(90)}`), []);
    assert.equal(check(`// https://example.org/ ${'a'.repeat(90)}`).length, 1);
  });
});
