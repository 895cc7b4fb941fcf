import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkErrorCodes, checkLinks } from './documents.ts';
import { findings, treeOf } from './fixture.ts';

describe('checkLinks()', () => {
  const links = (text: string, others: Readonly<Record<string, string>> = {}): string[] =>
    findings(checkLinks, treeOf({ 'docs/a.md': text, ...others }));

  test('finds a link to a file that is not there, with its line', () => {
    assert.deepEqual(links('\n\n[x](b.md)'), [
      'docs/a.md:3 The link b.md leads to docs/b.md, which is not there',
    ]);
    assert.match(links('[x](../src/y.ts)')[0]!, /leads to src\/y\.ts/);
  });

  test('accepts files, folders, the same page and other sites', () => {
    const text =
      '[1](b.md) [2](../src/y.ts) [3](../src) [4](../src/) [5](https://x.org/y) [6](#a)\n# A';
    assert.deepEqual(links(text, { 'docs/b.md': '', 'src/y.ts': '' }), []);
  });

  test('knows the anchors of headings and those set by hand', () => {
    const target = '# The `NAME-pos` file\n## Spare, and files\n<a id="here"></a>';
    const others = { 'docs/b.md': target };
    assert.deepEqual(links('[x](b.md#the-name-pos-file)', others), []);
    assert.deepEqual(links('[x](b.md#spare-and-files)', others), []);
    assert.deepEqual(links('[x](b.md#here)', others), []);
    assert.match(links('[x](b.md#there)', others)[0]!, /leads to no heading of docs\/b\.md/);
    assert.match(links('[x](#there)')[0]!, /leads to no heading of docs\/a\.md/);
  });

  test('leaves code alone', () => {
    assert.deepEqual(links('`[x](no.md)`\n```\n[x](no.md)\n```\n'), []);
    assert.equal(links('`[x](no.md)`\n```\n[x](no.md)\n```\n[x](no.md)').length, 1);
  });
});

describe('checkErrorCodes()', () => {
  const codes = (source: string, page: string, path = 'packages/ltx/src/errors.ts'): string[] =>
    findings(checkErrorCodes, treeOf({ [path]: source, 'docs/errors.md': page }));

  test('finds codes that are not explained, with their line', () => {
    const source = "export type LtxErrorCode =\n  /** Why; 'NOT_ONE'. */\n  | 'A_B'\n  | 'C_D';\n";
    assert.deepEqual(codes(source, '| `A_B` | x |'), [
      'packages/ltx/src/errors.ts:4 C_D is not in docs/errors.md: say there what it means and ' +
        'what to do',
    ]);
  });

  test('finds them in fields of a class', () => {
    const source = "class E {\n  readonly code = 'A_B';\n  readonly code: 'C_D' | 'E_F';\n}";
    assert.deepEqual(codes(source, '| `A_B` |\n| `C_D` |\n| `E_F` |'), []);
    assert.equal(codes(source, '').length, 3);
  });

  test('finds those that a class has of its base', () => {
    const source = "class E extends CodedError<'A_B' | 'C_D'> {\n  readonly name = 'E';\n}";
    assert.deepEqual(codes(source, '| `A_B` |\n| `C_D` |'), []);
    assert.equal(codes(source, '').length, 2);
  });

  test('finds rows of codes that are no more', () => {
    assert.deepEqual(codes('', 'Text\n\n| `A_B` | x |'), [
      'docs/errors.md:3 A_B is the code of no error: remove its row',
    ]);
  });

  test('leaves tests, tools and the testkit alone', () => {
    const source = "export type SomeCode = 'A_B';";
    assert.deepEqual(codes(source, '', 'packages/ltx/src/x.test.ts'), []);
    assert.deepEqual(codes(source, '', 'packages/testkit/src/x.ts'), []);
    assert.deepEqual(codes(source, '', 'tools/x.ts'), []);
  });
});
