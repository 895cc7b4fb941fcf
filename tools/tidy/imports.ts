// What a source file imports, by any of the ways there are.

import { posix } from 'node:path';

import { maskSource } from './mask.ts';
import { lineAt, type SourceFile } from './tree.ts';

export interface Import {
  /** As written: "./tree.ts", "@skein/ltx", "node:fs". */
  readonly specifier: string;
  readonly line: number;
}

/** Each with the specifier as its group. */
const FORMS: readonly RegExp[] = [
  // import … from 'x', export … from 'x', import type … from 'x'
  /\b(?:import|export)\b[^'"`;()=]*?\bfrom\s*['"]([^'"]+)['"]/g,
  // import 'x'
  /\bimport\s*['"]([^'"]+)['"]/g,
  // import('x'), require('x'), require.resolve('x'), import.meta.resolve('x')
  /\b(?:import|require|resolve)\s*\(\s*['"]([^'"]+)['"]/g,
];

/** new URL('x', import.meta.url): a worker's script, or a file beside the source. */
const URL_FORM = /\bnew\s+URL\(\s*['"](?:\.\/)?([^'"]+)['"]\s*,\s*import\.meta\.url/g;

export function importsOf(source: SourceFile): Import[] {
  const code = maskSource(source.text, { keepsStrings: true });
  // Words inside strings are no code; a match must begin where the fully masked text has it too.
  const masked = maskSource(source.text);
  const find = (form: RegExp, prefix: string): Import[] =>
    [...code.matchAll(form)]
      .filter((match) => masked[match.index] !== ' ')
      .map((match) => ({ specifier: prefix + match[1]!, line: lineAt(code, match.index) }));
  const found = [...FORMS.flatMap((form) => find(form, '')), ...find(URL_FORM, './')];
  return found.sort((a, b) => a.line - b.line);
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../');
}

/** The path that a relative import leads to, from the root. */
export function resolveRelative(source: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(source.path), specifier);
}

/** "@scope/name/sub" and "name/sub" without what follows the name of the package. */
export function packageNameOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

export function isExternal(specifier: string): boolean {
  const isScheme = /^[a-z]+:/.test(specifier);
  return !isScheme && !isRelative(specifier) && !specifier.startsWith('/');
}
