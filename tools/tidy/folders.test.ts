import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { findings, manifest, treeOf } from './fixture.ts';
import { checkFolders } from './folders.ts';

const manifests = treeOf(manifest('engine'), manifest('fuse'));

function folders(path: string, text: string): string[] {
  return findings(checkFolders, treeOf(manifests, { [path]: text }));
}

describe('checkFolders()', () => {
  test('lets a folder import itself and what is below it', () => {
    const text = `import { x } from './x.ts';\nimport { y } from '../log/y.ts';`;
    assert.deepEqual(folders('packages/engine/src/commit/z.ts', text), []);
    assert.deepEqual(folders('packages/engine/src/engine.ts', `import './commit/z.ts';`), []);
  });

  test('refuses what is above it, a type as well', () => {
    const text = `import type { Store } from '../store/store.ts';`;
    const [found] = folders('packages/engine/src/commit/z.ts', text);
    assert.match(found!, /commit\/z\.ts:1 commit stands below store/);
    const [single] = folders('packages/engine/src/log/z.ts', `import '../context.ts';`);
    assert.match(single!, /log stands below context\.ts/);
  });

  test('leaves tests alone, and packages whose folders have no order', () => {
    const text = `import '../engine.ts';`;
    assert.deepEqual(folders('packages/engine/src/log/z.test.ts', text), []);
    assert.deepEqual(folders('packages/engine/test/z.ts', `import '../src/engine.ts';`), []);
    assert.deepEqual(folders('packages/fuse/src/wire/z.ts', text), []);
  });

  test('wants a place for every folder and file', () => {
    assert.match(folders('packages/engine/src/new/z.ts', '')[0]!, /new has no place/);
    assert.match(folders('packages/engine/src/z.ts', '')[0]!, /z\.ts has no place/);
  });
});
