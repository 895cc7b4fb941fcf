import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkBannedCalls, checkBannedImports } from './banned-calls.ts';
import { findings, treeOf } from './fixture.ts';

function calls(path: string, code: string): string[] {
  return findings(checkBannedCalls, treeOf({ [path]: `\n${code};` }));
}

describe('checkBannedCalls()', () => {
  test('finds each call where it is banned, and not where it belongs', () => {
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      ['Math.random()', ['packages/host/src/x.ts', 'bench/x.ts'], []],
      ['Date.now()', ['packages/engine/src/x.ts'], ['packages/host/src/x.ts', 'tools/x.ts']],
      ['new Date()', ['packages/fuse/src/x.ts'], ['packages/fuse/src/x.test.ts']],
      ['performance.now()', ['packages/engine/src/x.ts'], ['packages/fuse/src/x.ts']],
      ['setTimeout(f, 1)', ['packages/engine/src/x.ts'], ['packages/fuse/src/x.ts']],
      ['console.log(1)', ['packages/host/src/x.ts'], ['packages/skein/src/cli/x.ts', 'bench/x.ts']],
      [
        'process.exit(1)',
        ['packages/skein/src/x.ts', 'tools/x.ts'],
        ['packages/skein/src/cli/main.ts', 'examples/demo/main.ts'],
      ],
      ['execSync("ls")', ['tools/x.ts', 'packages/host/src/x.test.ts'], []],
      ['spawn("ls", { shell: true })', ['tools/x.ts'], []],
    ];
    for (const [code, bannedPaths, allowedPaths] of cases) {
      for (const path of bannedPaths) {
        const found = calls(path, code);
        assert.equal(found.length, 1, `${code} in ${path}`);
        assert.match(found[0]!, /:2 .* is banned here\. \w/);
      }
      for (const path of allowedPaths) {
        assert.deepEqual(calls(path, code), [], `${code} in ${path}`);
      }
    }
  });

  test('is not taken in by comments, strings and longer names', () => {
    const code = `// Date.now()\nconst text = 'Math.random()'; pattern.exec(text); new Date(0)`;
    assert.deepEqual(calls('packages/engine/src/x.ts', code), []);
  });
});

describe('checkBannedImports()', () => {
  const imports = (path: string, specifier: string): string[] =>
    findings(checkBannedImports, treeOf({ [path]: `import '${specifier}';` }));

  test('keeps files, sockets and processes out of the engine, but not out of its tests', () => {
    for (const specifier of ['node:fs', 'node:fs/promises', 'node:net', 'node:timers/promises']) {
      assert.match(imports('packages/engine/src/x.ts', specifier)[0]!, /ports of host/);
    }
    assert.deepEqual(imports('packages/engine/src/x.test.ts', 'node:fs'), []);
    assert.deepEqual(imports('packages/engine/src/x.ts', 'node:assert/strict'), []);
  });

  test('keeps asynchronous file calls out of fuse', () => {
    assert.match(imports('packages/fuse/src/x.ts', 'node:fs/promises')[0]!, /one pool of threads/);
    assert.deepEqual(imports('packages/fuse/src/x.ts', 'node:fs'), []);
  });
});
