import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readDeclarations } from './declarations.ts';

const SOURCE = `import type { Other } from './other.ts';
export type { Third, Fourth as Renamed } from './third.ts';
/** One line. */
export interface Shape<T> {
    /** Of a field. */
    readonly field: T;
    nested: {
        deep: true;
    };
}
/**
 * Several lines,
 * as they come.
 */
export declare class Thing extends Error {
    #private;
    protected readonly hidden: Other;
    get name(): string;
}
export declare function make(options?: {
    readonly a: 1;
}): Thing;
declare const INNER = 1;
export declare const OUTER: number;
export type Union = 
/** The first. */
'a'
/** The second. */
 | 'b';
export { INNER as default };
//# sourceMappingURL=x.d.ts.map`;

test('readDeclarations() takes apart what the compiler writes', () => {
  const { declarations, reexports } = readDeclarations(SOURCE);
  const told = declarations.map(({ kind, name, text }) => [kind, name, text]);
  assert.deepEqual(told, [
    ['interface', 'Shape', 'One line.'],
    ['class', 'Thing', 'Several lines,\nas they come.'],
    ['function', 'make', ''],
    ['const', 'INNER', ''],
    ['const', 'OUTER', ''],
    ['type', 'Union', ''],
  ]);
  assert.equal(
    declarations[1]!.code,
    'class Thing extends Error {\n    get name(): string;\n}',
    'What is private is left out',
  );
  assert.match(declarations[0]!.code, /^interface Shape<T> \{\n {4}\/\*\* Of a field\. \*\/\n/);
  assert.equal(declarations[2]!.code, 'function make(options?: {\n    readonly a: 1;\n}): Thing;');
  assert.deepEqual(reexports, [
    { name: 'Third', localName: 'Third', path: './third.ts' },
    { name: 'Renamed', localName: 'Fourth', path: './third.ts' },
    { name: 'default', localName: 'INNER', path: undefined },
  ]);
});

test('readDeclarations() refuses what it does not know', () => {
  assert.throws(() => readDeclarations('namespace X {\n}'), /What kind of declaration is this/);
  assert.throws(() => readDeclarations('export interface X {\n    a: 1;'), /does not end/);
});
