// What a package exports, entry by entry, out of the declaration files that the compiler has
// written for it.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type Declaration, type DeclarationFile, readDeclarations } from './declarations.ts';

export interface Entry {
  /** As it is imported: "@skein/client/kysely". */
  readonly specifier: string;
  /** In the order of their names. */
  readonly exports: readonly Declaration[];
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string }>>;
}

/** The entries of the package in `folder`. Throws RangeError for what it cannot read. */
export function readPackageApi(folder: string): Entry[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const files = new Map<string, DeclarationFile>();
  const read = (path: string): DeclarationFile => {
    const known = files.get(path) ?? readDeclarations(readFileSync(path, 'utf8'));
    files.set(path, known);
    return known;
  };
  return Object.entries(manifest.exports).map(([subpath, { types }]) => {
    const path = join(folder, types);
    const specifier = join(manifest.name, subpath);
    const exported = exportsOf(path, read).sort((a, b) => (a.name < b.name ? -1 : 1));
    return { specifier, exports: exported };
  });
}

function exportsOf(path: string, read: (path: string) => DeclarationFile): Declaration[] {
  const { declarations, reexports } = read(path);
  const source = readFileSync(path, 'utf8');
  const own = declarations.filter(({ name }) =>
    new RegExp(String.raw`^export .*\b${name}\b`, 'm').test(source),
  );
  const others = reexports.map(({ name, localName, path: from }) => {
    const found = findDeclaration(from === undefined ? path : pathOf(path, from), localName, read);
    return { ...found, name };
  });
  const names = new Set(others.map(({ name }) => name));
  return [...own.filter(({ name }) => !names.has(name)), ...others];
}

function findDeclaration(
  path: string,
  name: string,
  read: (path: string) => DeclarationFile,
): Declaration {
  const { declarations, reexports } = read(path);
  const own = declarations.find((each) => each.name === name);
  if (own !== undefined) return own;
  const from = reexports.find((each) => each.name === name);
  if (from?.path === undefined) throw new RangeError(`${path} does not declare ${name}`);
  return findDeclaration(pathOf(path, from.path), from.localName, read);
}

/** Declarations name sources ("./errors.ts") or what becomes of them ("./errors.js"). */
function pathOf(from: string, specifier: string): string {
  const path = join(dirname(from), specifier.replace(/\.[jt]s$/, '.d.ts'));
  if (existsSync(path)) return path;
  throw new RangeError(`${from} exports of ${specifier}, which is not there`);
}
