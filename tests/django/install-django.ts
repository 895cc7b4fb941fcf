// Django, of exactly the versions in requirements.txt, in a folder of the checkout's own: no Python
// of the machine gets anything.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

import { requirePart, skipTest } from '@skein/testkit';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const TOOLS = join(import.meta.dirname, '..', '..', '.tools');

/** The folder for PYTHONPATH. Undefined when it cannot be had: the test is skipped then. */
export function installDjango(t: TestContext): string | undefined {
  if (!requirePart(t, 'python3', 'pip')) return undefined;
  const version = createHash('sha256')
    .update(readFileSync(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12);
  const folder = join(TOOLS, `python-django-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}-`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
  const args = [...pip, '--target', scratch, '--requirement', REQUIREMENTS];
  const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(scratch, { recursive: true });
    skipTest(t, `pip cannot install Django: ${stderr.trim()}`);
    return undefined;
  }
  try {
    renameSync(scratch, folder);
  } catch {
    // Another test was faster.
    rmSync(scratch, { recursive: true });
  }
  return folder;
}
