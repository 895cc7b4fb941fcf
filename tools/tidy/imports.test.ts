import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { treeOf } from './fixture.ts';
import { importsOf, packageNameOf } from './imports.ts';
import { sourcesOf } from './tree.ts';

function imports(text: string): string[] {
  const [source] = sourcesOf(treeOf({ 'packages/a/src/x.ts': text }));
  return importsOf(source!).map(({ specifier, line }) => `${line} ${specifier}`);
}

describe('importsOf()', () => {
  test('finds every form', () => {
    const text = [
      `import { a,`,
      `  b } from './named.ts';`,
      `import type { T } from "./type.ts";`,
      `import * as all from '@skein/all';`,
      `import './effect.ts';`,
      `export { c } from './again.ts';`,
      `export type { U } from './again-type.ts';`,
      `const d = await import('./dynamic.ts');`,
      `const e = require('external/sub');`,
      `const f = new URL('worker.ts', import.meta.url);`,
      `const g = new URL('./data.json', import.meta.url);`,
      `const h = import.meta.resolve('./resolved.ts');`,
    ].join('\n');
    assert.deepEqual(imports(text), [
      '1 ./named.ts',
      '3 ./type.ts',
      '4 @skein/all',
      '5 ./effect.ts',
      '6 ./again.ts',
      '7 ./again-type.ts',
      '8 ./dynamic.ts',
      '9 external/sub',
      '10 ./worker.ts',
      '11 ./data.json',
      '12 ./resolved.ts',
    ]);
  });

  test('is not taken in by comments, strings and names', () => {
    const text = [
      `// import { a } from './comment.ts';`,
      `/* import('./block.ts') */`,
      `const text = "import { a } from './string.ts'";`,
      'const code = `import("./template.ts")`;',
      `export const from = 'a';`,
      `export function importFrom(): string { return 'from'; }`,
      `const map = important('x');`,
    ].join('\n');
    assert.deepEqual(imports(text), []);
  });

  test('packageNameOf() leaves out what follows the name', () => {
    assert.equal(packageNameOf('@skein/host/sub/path'), '@skein/host');
    assert.equal(packageNameOf('yaml/parse'), 'yaml');
  });
});
