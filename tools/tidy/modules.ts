// How files are put together: a package has one face, and nobody climbs over its walls.

import { importsOf, isRelative, resolveRelative } from './imports.ts';
import { maskSource } from './mask.ts';
import { lineAt, type Rule, sourcesOf } from './tree.ts';

/** index.ts is for others. Imported from inside it makes cycles and hides what is needed. */
export const checkIndexImports: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) => {
    if (source.packageFolder === undefined) return [];
    const index = `${source.unit}/src/index.ts`;
    return importsOf(source)
      .filter(({ specifier }) => isRelative(specifier))
      .filter(({ specifier }) => resolveRelative(source, specifier) === index)
      .map(({ line }) => ({
        path: source.path,
        line,
        message: 'Import the file itself: index.ts is the face of the package for others',
      }));
  });

/** Other packages are known by name alone, so that what they export is all there is to know. */
export const checkRelativeImports: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => isRelative(specifier))
      .filter(({ specifier }) => {
        return !resolveRelative(source, specifier).startsWith(`${source.unit}/`);
      })
      .map(({ specifier, line }) => ({
        path: source.path,
        line,
        message: `${specifier} leaves ${source.unit}: import a package by its name`,
      })),
  );

/** `export *` makes a public face that nobody has read. */
export const checkStarExports: Rule = (tree) =>
  sourcesOf(tree).flatMap((source) => {
    const code = maskSource(source.text);
    return [...code.matchAll(/\bexport\s*\*/g)].map((match) => ({
      path: source.path,
      line: lineAt(code, match.index),
      message: 'Name what is exported: with a star nobody sees what the public face is',
    }));
  });
