// The pages about databases and ORMs, once more: their code is right for the compiler too, whose
// word counts for those who copy it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';

import { onTestEnd } from '@skein/testkit';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** In the workspace, so that packages are found by their names. */
const CACHE = join(ROOT, 'node_modules', '.cache');
const PAGES = /^(?:client|orm-.+)\.md$/;
const BLOCK = /^```(?:ts|typescript)\n(.*?)^```$/gms;
/** What Prisma makes of an application's schema is not ours to compile. */
const GENERATED = /\.\/generated\/|prisma\.note/;

test('The code on the pages compiles', (t) => {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'pages-'));
  onTestEnd(t, () => rmSync(folder, { recursive: true }));
  for (const page of readdirSync(join(ROOT, 'docs')).filter((name) => PAGES.test(name))) {
    const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
    const blocks = [...text.matchAll(BLOCK)].map(([, code]) => code!);
    const program = blocks.filter((code) => !GENERATED.test(code)).join('');
    // A file is a module of its own.
    writeFileSync(join(folder, page.replace(/md$/, 'ts')), `${program}\nexport {};\n`);
  }
  const compilerOptions = {
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true,
  };
  const extended = relative(folder, join(ROOT, 'tsconfig.base.json'));
  const project = { extends: extended, compilerOptions, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '--project', folder], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
});
