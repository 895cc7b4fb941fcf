import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { findings, treeOf } from './fixture.ts';
import { checkIndexImports, checkRelativeImports, checkStarExports } from './modules.ts';

describe('checkIndexImports()', () => {
  test('refuses the own index, at any depth and in tests', () => {
    for (const [path, specifier] of [
      ['packages/ltx/src/x.ts', './index.ts'],
      ['packages/ltx/src/deep/x.ts', '../index.ts'],
      ['packages/ltx/src/x.test.ts', './index.ts'],
    ] as const) {
      const tree = treeOf({ [path]: `\nexport { x } from '${specifier}';` });
      assert.match(findings(checkIndexImports, tree)[0]!, /:2 Import the file itself/);
    }
  });

  test('leaves other files alone, and an index.ts in a folder', () => {
    const text = `import './other.ts'; import './deep/index.ts';`;
    assert.deepEqual(findings(checkIndexImports, treeOf({ 'packages/ltx/src/x.ts': text })), []);
  });
});

describe('checkRelativeImports()', () => {
  const check = (path: string, specifier: string): string[] =>
    findings(checkRelativeImports, treeOf({ [path]: `import '${specifier}';` }));

  test('refuses a path that leaves the package, or enters one', () => {
    assert.match(
      check('packages/ltx/src/x.ts', '../../bytes/src/y.ts')[0]!,
      /leaves packages\/ltx/,
    );
    assert.match(check('bench/x.ts', '../packages/ltx/src/y.ts')[0]!, /leaves bench/);
    assert.match(check('examples/one/x.ts', '../two/y.ts')[0]!, /leaves examples\/one/);
  });

  test('allows what stays inside', () => {
    assert.deepEqual(check('packages/ltx/src/deep/x.ts', '../../testdata/y.json'), []);
    assert.deepEqual(check('tools/tidy/x.ts', '../y.ts'), []);
  });
});

describe('checkStarExports()', () => {
  test('refuses a star, with or without a name', () => {
    const text = `export * from './a.ts';\nexport * as b from './b.ts';\n// export * from './c.ts'`;
    const found = findings(checkStarExports, treeOf({ 'packages/ltx/src/x.ts': text }));
    assert.equal(found.length, 2);
    assert.match(found[1]!, /x\.ts:2 Name what/);
  });

  test('leaves other exports alone', () => {
    const tree = treeOf({ 'packages/ltx/src/x.ts': `export const a = 2 * 3; export { b };` });
    assert.deepEqual(findings(checkStarExports, tree), []);
  });
});
