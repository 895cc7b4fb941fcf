// The page as it has to be: declarations made anew, rendered, formatted like every other document.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { readPackageApi } from './package-api.ts';
import { renderReference } from './render.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');

/** docs/api/client.md */
export const REFERENCE_PATH: string = join(ROOT, 'docs', 'api', 'client.md');

/** Compiles the package first: declarations may be of sources that are no more. */
export function makeReference(): string {
  const folder = join(ROOT, 'packages', 'client');
  execFileSync(process.execPath, [join(BIN, 'tsc'), '--build', folder], { stdio: 'inherit' });
  const page = renderReference('API of @skein/client', readPackageApi(folder));
  const args = [join(BIN, 'oxfmt'), `--stdin-filepath=${REFERENCE_PATH}`];
  return execFileSync(process.execPath, args, { cwd: ROOT, input: page, encoding: 'utf8' });
}
