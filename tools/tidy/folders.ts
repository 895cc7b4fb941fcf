// Who may import whom inside a package whose folders stand on each other: a folder imports only
// what is below it, and a file that is in none does as well. Types count: who names one has to know
// of it. packages/engine/DESIGN.md, "Map", says what each is.

import { importsOf, isRelative, resolveRelative } from './imports.ts';
import { type Rule, type SourceFile, sourcesOf, type Violation } from './tree.ts';

/** Folders and single files of `src`, the lowest first. */
const ORDERS: Readonly<Record<string, readonly string[]>> = {
  engine: [
    'errors.ts',
    'jobs',
    'ports.ts',
    'data-folder',
    'pages',
    'log',
    'database',
    'recovery',
    'commit',
    'context.ts',
    'snapshot',
    'files',
    'store',
    'follow',
    'replica',
    'check',
    'engine.ts',
    'index.ts',
    'fuzz-targets.ts',
  ],
};

export const checkFolders: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) => {
    const order = ORDERS[source.packageFolder ?? ''];
    const part = partOf(source, source.path);
    if (order === undefined || part === undefined || source.isTest) return [];
    return order.includes(part) ? upwardImports(source, part, order) : [withoutPlace(source, part)];
  });

function upwardImports(source: SourceFile, part: string, order: readonly string[]): Violation[] {
  return importsOf(source)
    .filter(({ specifier }) => isRelative(specifier))
    .flatMap(({ specifier, line }): Violation[] => {
      const target = partOf(source, resolveRelative(source, specifier));
      if (target === undefined || order.indexOf(target) <= order.indexOf(part)) return [];
      const message = `${part} stands below ${target}: declare here what it needs of that`;
      return [{ path: source.path, line, message }];
    });
}

function withoutPlace({ path }: SourceFile, part: string): Violation {
  return { path, message: `${part} has no place: decide on one in tools/tidy/folders.ts` };
}

/** The folder of `src` that a path leads into, or the file; undefined outside of it. */
function partOf({ unit }: SourceFile, path: string): string | undefined {
  const src = `${unit}/src/`;
  return path.startsWith(src) ? path.slice(src.length).split('/')[0] : undefined;
}
