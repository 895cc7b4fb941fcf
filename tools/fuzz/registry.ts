// Every package that reads bytes which others wrote lists its decoders in src/fuzz-targets.ts; a
// new such file is found by itself.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { FuzzTarget } from '@skein/testkit';

const root = dirname(dirname(import.meta.dirname));

export async function loadFuzzTargets(): Promise<FuzzTarget[]> {
  const paths = globSync('packages/*/src/fuzz-targets.ts', { cwd: root }).toSorted();
  const lists = await Promise.all(
    paths.map(async (path) => {
      const module: unknown = await import(pathToFileURL(join(root, path)).href);
      assert.ok(isTargetModule(module), `${path} must export fuzzTargets, a list of FuzzTarget`);
      return module.fuzzTargets;
    }),
  );
  const targets = lists.flat();
  const names = new Set(targets.map(({ name }) => name));
  assert.equal(names.size, targets.length, 'Two fuzz targets have one name');
  return targets;
}

function isTargetModule(module: unknown): module is { fuzzTargets: readonly FuzzTarget[] } {
  const list = (module as { fuzzTargets?: unknown }).fuzzTargets;
  return Array.isArray(list) && list.every(isTarget);
}

function isTarget(value: unknown): value is FuzzTarget {
  const { name, seeds, decode, isFormatError } = value as Partial<FuzzTarget>;
  const parts = [seeds, decode, isFormatError];
  return typeof name === 'string' && parts.every((part) => typeof part === 'function');
}
