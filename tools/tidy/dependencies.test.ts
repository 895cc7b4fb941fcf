import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkDependencies, checkReferences, checkVersions } from './dependencies.ts';
import { findings, manifest, treeOf } from './fixture.ts';

describe('checkDependencies()', () => {
  const dependencies = (sources: Record<string, string>): string[] => {
    const root = { 'package.json': JSON.stringify({ devDependencies: { 'fast-check': '4.0.0' } }) };
    const host = manifest('host', { koffi: '3.0.0' });
    return findings(checkDependencies, treeOf(root, host, manifest('testkit'), sources));
  };
  const using = { 'packages/host/src/x.ts': `import 'koffi/sub';` };

  test('is content when declared and imported are the same', () => {
    assert.deepEqual(dependencies(using), []);
  });

  test('finds what is imported and not declared, and what is declared and not imported', () => {
    const found = dependencies({ 'packages/host/src/x.ts': `import 'yaml';` });
    assert.equal(found.length, 2);
    assert.match(found[0]!, /packages\/host\/src\/x\.ts:1 yaml is imported but not/);
    assert.match(found[1]!, /packages\/host\/package\.json: Dependency koffi is not imported/);
  });

  test('gives tests the tools of the workspace, and nothing else', () => {
    const path = 'packages/host/src/x.test.ts';
    assert.deepEqual(
      dependencies({ ...using, [path]: `import 'fast-check'; import '@skein/testkit';` }),
      [],
    );
    assert.match(dependencies({ ...using, [path]: `import 'chai';` })[0]!, /chai/);
    // What only tests import is no dependency of the package.
    assert.match(dependencies({ [path]: `import 'koffi';` })[0]!, /not imported/);
    assert.match(
      dependencies({ ...using, 'packages/host/src/y.ts': `import 'fast-check';` })[0]!,
      /fast-check/,
    );
  });
});

describe('checkVersions()', () => {
  test('wants exact versions everywhere but for peers', () => {
    const text = JSON.stringify(
      {
        dependencies: { exact: '1.2.3', pre: '1.5.5-r.5', caret: '^1.2.3' },
        devDependencies: { any: '*' },
        peerDependencies: { next: '>=14' },
      },
      undefined,
      2,
    );
    const found = findings(checkVersions, treeOf({ 'packages/a/package.json': text }));
    assert.deepEqual(found, [
      'packages/a/package.json:5 Version "^1.2.3" of caret is not exact',
      'packages/a/package.json:8 Version "*" of any is not exact',
    ]);
  });
});

describe('checkReferences()', () => {
  const references = (...paths: readonly string[]): string => {
    const list = paths.map((path) => ({ path }));
    return `{ // all of them\n"references": ${JSON.stringify(list)} }`;
  };
  const sound = {
    'tsconfig.json': references('packages/host', 'packages/ltx', 'tsconfig.tests.json'),
    'tsconfig.tests.json': references('packages/host', 'packages/ltx'),
    'packages/ltx/tsconfig.json': references(),
    'packages/host/tsconfig.json': references('../ltx'),
  };
  const check = (changes: Record<string, string>): string[] => {
    const host = manifest('host', { '@skein/ltx': '0.1.0', koffi: '3.0.0' });
    return findings(checkReferences, treeOf(host, manifest('ltx'), sound, changes));
  };

  test('is content when references are the dependencies', () => {
    assert.deepEqual(check({}), []);
  });

  test('finds references that lack and that are too many', () => {
    assert.deepEqual(check({ 'packages/host/tsconfig.json': references() }), [
      'packages/host/tsconfig.json: References lack "../ltx"',
    ]);
    assert.deepEqual(check({ 'packages/ltx/tsconfig.json': references('../host') }), [
      'packages/ltx/tsconfig.json: Reference "../host" belongs to no dependency',
    ]);
    assert.deepEqual(check({ 'tsconfig.tests.json': references('packages/host') }), [
      'tsconfig.tests.json: References lack "packages/ltx"',
    ]);
    assert.deepEqual(check({ 'tsconfig.json': references('packages/host', 'packages/ltx') }), [
      'tsconfig.json: References lack "tsconfig.tests.json"',
    ]);
  });
});
