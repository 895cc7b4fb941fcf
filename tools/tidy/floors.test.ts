import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { findings, manifest, treeOf } from './fixture.ts';
import { checkFloors, checkPurity } from './floors.ts';

const packages = ['bytes', 'ltx', 'sqlite-file', 'host', 'engine', 'fuse', 'skein', 'testkit'];
const manifests = treeOf(...packages.map((folder) => manifest(folder)));

function floors(path: string, imported: string): string[] {
  const tree = treeOf(manifests, { [path]: `import { x } from '@skein/${imported}';` });
  return findings(checkFloors, tree);
}

describe('checkFloors()', () => {
  test('lets a package import what is below it', () => {
    assert.deepEqual(floors('packages/engine/src/x.ts', 'host'), []);
    assert.deepEqual(floors('packages/skein/src/x.ts', 'fuse'), []);
    assert.deepEqual(floors('packages/testkit/src/x.ts', 'host'), []);
  });

  test('refuses what is above and beside it, in tests too', () => {
    assert.match(floors('packages/ltx/src/x.ts', 'engine')[0]!, /x\.ts:1 .*above it/);
    assert.match(floors('packages/ltx/src/x.test.ts', 'engine')[0]!, /above it/);
    assert.match(floors('packages/ltx/src/x.ts', 'sqlite-file')[0]!, /sibling/);
    assert.match(floors('packages/testkit/src/x.ts', 'engine')[0]!, /above it/);
  });

  test('refuses a package that imports itself by its name', () => {
    assert.match(floors('packages/ltx/src/x.ts', 'ltx')[0]!, /relative imports/);
  });

  test('keeps the testkit out of what is shipped', () => {
    assert.match(floors('packages/engine/src/x.ts', 'testkit')[0]!, /Only tests/);
    for (const path of ['packages/engine/src/x.test.ts', 'packages/fuse/test/x.ts', 'bench/x.ts']) {
      assert.deepEqual(floors(path, 'testkit'), []);
    }
    assert.deepEqual(floors('packages/bytes/src/x.host.test.ts', 'testkit'), []);
  });

  test('wants a floor for every package', () => {
    assert.match(findings(checkFloors, manifest('novelty'))[0]!, /novelty has no floor/);
  });
});

describe('checkPurity()', () => {
  const purity = (path: string, text: string): string[] =>
    findings(checkPurity, treeOf(manifests, { [path]: text }));

  test('refuses Node and other packages on the floors of codecs', () => {
    assert.match(purity('packages/ltx/src/x.ts', `import 'node:fs';`)[0]!, /x\.ts:1 .*node:fs/);
    assert.match(purity('packages/bytes/src/x.ts', `import 'xxhash';`)[0]!, /xxhash/);
    assert.deepEqual(
      purity('packages/ltx/src/x.ts', `import '@skein/bytes'; import './y.ts';`),
      [],
    );
    assert.deepEqual(purity('packages/ltx/src/x.test.ts', `import 'node:fs';`), []);
    assert.deepEqual(purity('packages/host/src/x.ts', `import 'node:fs';`), []);
  });

  test('refuses timers and the names of one platform', () => {
    for (const code of ['setTimeout(f, 1)', 'process.pid', 'Buffer.from(a)', 'performance.now()']) {
      assert.equal(purity('packages/ltx/src/x.ts', `\n${code};`).length, 1, code);
    }
    assert.deepEqual(purity('packages/ltx/src/x.ts', '// setTimeout\nconst process = 1;'), []);
    assert.deepEqual(purity('packages/engine/src/x.ts', 'process.pid;'), []);
  });
});
