// Checks what no compiler, linter or formatter does: floors, folders, dependencies, shape, words,
// links and error codes in documents. The rules are in tools/tidy/, one idea a file; a message says
// why. `npm run tidy -- --fix` wraps comments.

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { checkBannedCalls, checkBannedImports } from './tidy/banned-calls.ts';
import { checkBannedWords } from './tidy/banned-words.ts';
import { checkDependencies, checkReferences, checkVersions } from './tidy/dependencies.ts';
import { checkErrorCodes, checkLinks } from './tidy/documents.ts';
import { checkFloors, checkPurity } from './tidy/floors.ts';
import { checkFolders } from './tidy/folders.ts';
import { checkIndexImports, checkRelativeImports, checkStarExports } from './tidy/modules.ts';
import { checkFileSizes, checkLineLengths, LINE_LENGTH_MAX } from './tidy/shape.ts';
import { loadTree, type Rule, sourcesOf, type Tree, type Violation } from './tidy/tree.ts';
import { wrapComments } from './tidy/wrap-comments.ts';

const RULES: readonly Rule[] = [
  checkFloors,
  checkPurity,
  checkFolders,
  checkDependencies,
  checkVersions,
  checkReferences,
  checkIndexImports,
  checkRelativeImports,
  checkStarExports,
  checkFileSizes,
  checkLineLengths,
  checkBannedCalls,
  checkBannedImports,
  checkBannedWords,
  checkLinks,
  checkErrorCodes,
];

function describeViolation({ path, line, message }: Violation): string {
  return `${path}${line === undefined ? '' : `:${line}`}: ${message}`;
}

/** Wraps what is too wide in comments, the one thing here that a program can put right. */
function fix(tree: Tree): Tree {
  const fixed = new Map(tree);
  for (const { path, text } of sourcesOf(tree)) {
    const wrapped = wrapComments(text, LINE_LENGTH_MAX);
    if (wrapped === text) continue;
    writeFileSync(join(root, path), wrapped);
    fixed.set(path, wrapped);
  }
  return fixed;
}

const root = dirname(import.meta.dirname);
const loaded = loadTree(root);
const tree = process.argv.includes('--fix') ? fix(loaded) : loaded;
const violations = RULES.flatMap((rule) => rule(tree));
for (const violation of violations) console.log(describeViolation(violation));
console.log(`${tree.size} files, ${violations.length} violations`);
if (violations.length > 0) process.exitCode = 1;
