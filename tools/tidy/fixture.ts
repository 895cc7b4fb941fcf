// Small trees for the tests of rules: what a file says, by its path.

import type { Rule, Tree } from './tree.ts';

/** A package's manifest, for a tree. */
export function manifest(
  folder: string,
  dependencies: Readonly<Record<string, string>> = {},
): Tree {
  const text = JSON.stringify({ name: `@skein/${folder}`, dependencies });
  return new Map([[`packages/${folder}/package.json`, text]]);
}

export function treeOf(...parts: readonly (Tree | Readonly<Record<string, string>>)[]): Tree {
  return new Map(parts.flatMap((part) => [...(part instanceof Map ? part : Object.entries(part))]));
}

/** What a rule finds: "path:line message" for each violation. */
export function findings(rule: Rule, tree: Tree): string[] {
  return rule(tree).map(({ path, line, message }) => `${path}:${line ?? ''} ${message}`);
}
