// Who may import whom. ARCHITECTURE.md, "Floors": a package imports only packages of lower floors,
// never a sibling; the pure floors import nothing from outside at all.

import { importsOf, isExternal, packageNameOf } from './imports.ts';
import { maskSource } from './mask.ts';
import {
  lineAt,
  packagesOf,
  type Rule,
  type SourceFile,
  sourcesOf,
  type Violation,
} from './tree.ts';

const FLOORS: Readonly<Record<string, number>> = {
  bytes: 0,
  ltx: 1,
  'sqlite-file': 1,
  client: 2,
  host: 2,
  // Below the engine, whose tests stand on it; only tests import it.
  testkit: 2.5,
  engine: 3,
  fuse: 4,
  hrana: 4,
  lake: 4,
  cluster: 4,
  proxy: 4,
  admin: 5,
  skein: 5,
};

const PURE_FLOOR_MAX = 1;

export const checkFloors: Rule = (tree) => {
  const packages = packagesOf(tree);
  const unknown = packages
    .filter(({ folder }) => FLOORS[folder] === undefined)
    .map(({ folder }) => ({
      path: `packages/${folder}/package.json`,
      message: `Package ${folder} has no floor: decide on one in tools/tidy/floors.ts`,
    }));
  const folders = new Map(packages.map(({ name, folder }) => [name, folder]));
  const imports = sourcesOf(tree).flatMap((source) =>
    importsOf(source).flatMap(({ specifier, line }): Violation[] => {
      const target = folders.get(packageNameOf(specifier));
      const message = target === undefined ? undefined : whyNotImport(source, target);
      return message === undefined ? [] : [{ path: source.path, line, message }];
    }),
  );
  return [...unknown, ...imports];
};

function whyNotImport(source: SourceFile, target: string): string | undefined {
  const folder = source.packageFolder;
  if (target === 'testkit') {
    const mayUse = source.isTest || folder === 'testkit' || folder === undefined;
    return mayUse
      ? undefined
      : 'Only tests, benches and tools import the testkit: it is not shipped';
  }
  if (folder === undefined) return undefined;
  if (folder === target) {
    return `A package reaches its own files by relative imports, not as @skein/${target}`;
  }
  if (FLOORS[target]! < FLOORS[folder]!) return undefined;
  const kind = FLOORS[target] === FLOORS[folder] ? 'a sibling on its floor' : 'above it';
  return `${folder} must not import ${target}, which is ${kind}: have skein wire them together`;
}

/** Names of the platform that a pure package does without, each with the reason. */
const IMPURE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, 'time is the caller’s'],
  [/\b(?:process|Buffer|require)\b(?=[.(])/g, 'it runs anywhere, not only in Node'],
  [/\b(?:fetch|performance|console)\b(?=[.(])/g, 'bytes in, bytes out'],
];

/** Floors 0 and 1: bytes in, bytes out. */
export const checkPurity: Rule = (tree) => {
  const pure = sourcesOf(tree).filter(
    ({ packageFolder, isTest }) =>
      packageFolder !== undefined && FLOORS[packageFolder]! <= PURE_FLOOR_MAX && !isTest,
  );
  return pure.flatMap((source) => [...findImpureImports(source), ...findImpureNames(source)]);
};

function findImpureImports(source: SourceFile): Violation[] {
  return importsOf(source)
    .filter(({ specifier }) => {
      const isOutside = isExternal(specifier) && !specifier.startsWith('@skein/');
      return isOutside || specifier.startsWith('node:');
    })
    .map(({ specifier, line }) => ({
      path: source.path,
      line,
      message: `A pure package imports nothing from outside, but this imports ${specifier}`,
    }));
}

function findImpureNames(source: SourceFile): Violation[] {
  const code = maskSource(source.text);
  return IMPURE_NAMES.flatMap(([pattern, reason]) =>
    [...code.matchAll(pattern)].map((match) => ({
      path: source.path,
      line: lineAt(code, match.index),
      message: `A pure package does not use ${match[0]}: ${reason}`,
    })),
  );
}
