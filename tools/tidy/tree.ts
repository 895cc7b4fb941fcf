// The repository as data: every file that is tracked, or would be if it were added. Rules take it
// and return violations; their tests make small trees of their own.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Contents by path, relative to the root with forward slashes. Binary files are there, empty. */
export type Tree = ReadonlyMap<string, string>;

export interface Violation {
  readonly path: string;
  /** From 1; undefined when it is about the whole file. */
  readonly line?: number;
  /** What is wrong, why that matters, and what to do instead. */
  readonly message: string;
}

export type Rule = (tree: Tree) => Violation[];

export function loadTree(root: string): Tree {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  const tree = new Map<string, string>();
  for (const path of paths) {
    const text = path === '' ? undefined : tryReadText(join(root, path));
    if (text !== undefined) tree.set(path, text);
  }
  return tree;
}

/** Undefined for tracked files that were deleted. */
function tryReadText(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.includes(0) ? '' : bytes.toString('utf8');
  } catch {
    return undefined;
  }
}

export interface Package {
  /** Its folder under packages/: "sqlite-file". */
  readonly folder: string;
  /** "@skein/sqlite-file". */
  readonly name: string;
  readonly isPrivate: boolean;
  /** Those that it brings, and those that it expects of whoever installs it. */
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name?: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export function packagesOf(tree: Tree): Package[] {
  return [...tree].flatMap(([path, text]) => {
    const folder = /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1];
    if (folder === undefined) return [];
    const manifest = JSON.parse(text) as Manifest;
    const { name = '', dependencies, peerDependencies } = manifest;
    const isPrivate = manifest.private === true;
    return [{ folder, name, isPrivate, dependencies: { ...peerDependencies, ...dependencies } }];
  });
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** The folder that it may reach by relative imports: "packages/ltx", "tools", "examples/demo". */
  readonly unit: string;
  /** The package's folder under packages/; undefined for tools, benches and examples. */
  readonly packageFolder: string | undefined;
  /** Code that is not shipped: tests and what only they use, tools, benches. */
  readonly isTest: boolean;
}

const TEST_FOLDERS = /^(?:tools|bench|tests|(?:packages|examples)\/[^/]+\/test)\//;

/** All TypeScript and JavaScript, but for what tests use as data. */
export function sourcesOf(tree: Tree): SourceFile[] {
  return [...tree].flatMap(([path, text]) => {
    if (!/\.m?[jt]s$/.test(path) || path.includes('/testdata/')) return [];
    const unit = /^(?:packages|examples)\/[^/]+|^[^/]+/.exec(path)![0];
    const packageFolder = /^packages\/([^/]+)/.exec(path)?.[1];
    const isTest = path.endsWith('.test.ts') || TEST_FOLDERS.test(path);
    return [{ path, text, unit, packageFolder, isTest }];
  });
}

/** The 1-based line of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
