// What package.json and tsconfig.json say must be what the sources do.

import { importsOf, isExternal, packageNameOf } from './imports.ts';
import {
  lineAt,
  type Package,
  packagesOf,
  type Rule,
  sourcesOf,
  type Tree,
  type Violation,
} from './tree.ts';

/** Declared and imported dependencies are the same, in both directions. */
export const checkDependencies: Rule = (tree) => {
  const packages = packagesOf(tree);
  return packages.flatMap((pkg) => checkPackage(tree, pkg, packages));
};

function checkPackage(tree: Tree, pkg: Package, packages: readonly Package[]): Violation[] {
  const development = developmentDependencies(tree);
  const used = new Set<string>();
  const violations: Violation[] = [];
  for (const source of sourcesOf(tree)) {
    if (source.packageFolder !== pkg.folder) continue;
    for (const { specifier, line } of importsOf(source)) {
      const name = packageNameOf(specifier);
      if (!isExternal(specifier) || name === pkg.name) continue;
      if (!source.isTest) used.add(name);
      // Tests stand outside of their package: the workspace gives them its tools and all packages.
      const isForTests = development.has(name) || packages.some((other) => other.name === name);
      if (name in pkg.dependencies || ((source.isTest || pkg.isPrivate) && isForTests)) continue;
      const message = `${name} is imported but not among the dependencies in package.json`;
      violations.push({ path: source.path, line, message });
    }
  }
  const unused = Object.keys(pkg.dependencies).filter((name) => !used.has(name));
  const path = `packages/${pkg.folder}/package.json`;
  return [
    ...violations,
    ...unused.map((name) => ({ path, message: `Dependency ${name} is not imported: remove it` })),
  ];
}

function developmentDependencies(tree: Tree): Set<string> {
  const manifest = JSON.parse(tree.get('package.json') ?? '{}') as Manifest;
  return new Set(Object.keys(manifest.devDependencies ?? {}));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A range would install something else tomorrow, in whatever the lock file does not cover. */
export const checkVersions: Rule = (tree) =>
  [...tree].flatMap(([path, text]) => {
    if (!/(?:^|\/)package\.json$/.test(path)) return [];
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text) as Manifest;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    return Object.entries(all)
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => ({
        path,
        line: lineAt(text, text.indexOf(`"${name}"`)),
        message: `Version "${version}" of ${name} is not exact`,
      }));
  });

/** Project references are the dependencies; the projects at the root know all packages. */
export const checkReferences: Rule = (tree) => {
  const packages = packagesOf(tree);
  const folders = new Map(packages.map(({ name, folder }) => [name, folder]));
  const all = packages.map(({ folder }) => `packages/${folder}`);
  const apps = [...tree.keys()].flatMap((path) => {
    const folder = /^(apps\/[^/]+)\/tsconfig\.json$/.exec(path)?.[1];
    return folder === undefined ? [] : [folder];
  });
  const projects = [
    ...packages.map(({ folder, dependencies }) => ({
      path: `packages/${folder}/tsconfig.json`,
      expected: Object.keys(dependencies).flatMap((name) => {
        const target = folders.get(name);
        return target === undefined ? [] : [`../${target}`];
      }),
    })),
    { path: 'tsconfig.json', expected: [...all, ...apps, 'tsconfig.tests.json'] },
    { path: 'tsconfig.tests.json', expected: [...all, ...apps] },
  ];
  return projects.flatMap(({ path, expected }) => {
    const found = referencesOf(tree.get(path) ?? '{}');
    return [
      ...expected
        .filter((reference) => !found.includes(reference))
        .map((reference) => ({ path, message: `References lack "${reference}"` })),
      ...found
        .filter((reference) => !expected.includes(reference))
        .map((reference) => ({
          path,
          message: `Reference "${reference}" belongs to no dependency`,
        })),
    ];
  });
};

function referencesOf(text: string): string[] {
  // JSON with comments; strings are matched first, so that slashes in them begin none.
  const json = text.replaceAll(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, '$1');
  const project = JSON.parse(json) as { references?: readonly { readonly path: string }[] };
  return (project.references ?? []).map(({ path }) => path);
}
