// The lake's web page as it is served: built by Vite when its sources are newer. Several processes
// may ask for it at once; one of them builds.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { nodeFileLocks } from '@skein/host';

/** Of the workspace, seen from src/ and from dist/. */
const root = dirname(dirname(dirname(dirname(import.meta.dirname))));
const home = join(root, 'apps', 'console');
const built = join(home, 'dist');
const LOCK_POLL_MS = 50;

/** The folder with the page in it, up to date. */
export async function buildConsole(): Promise<string> {
  // Also to look: it may be half built.
  mkdirSync(join(root, '.tools'), { recursive: true });
  const lock = openSync(join(root, '.tools', 'console.lock'), 'a');
  try {
    while (!nodeFileLocks.tryLockFile(lock)) await sleep(LOCK_POLL_MS);
    if (!isFresh()) build();
    return built;
  } finally {
    closeSync(lock);
  }
}

function build(): void {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  // The page is at any path: all that it loads is relative to it.
  const args = ['build', '--base', './', '--outDir', built, '--emptyOutDir', '--logLevel', 'error'];
  const { status, stderr, stdout } = spawnSync(process.execPath, [vite, ...args], {
    cwd: home,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Cannot build the page of the lake:\n${stdout}${stderr}`);
}

function isFresh(): boolean {
  const page = join(built, 'index.html');
  if (!existsSync(page)) return false;
  const builtMs = statSync(page).mtimeMs;
  return sources().every((path) => statSync(path).mtimeMs <= builtMs);
}

function sources(): string[] {
  const files = readdirSync(join(home, 'src'), { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  return [...paths, join(home, 'index.html'), join(home, 'package.json')];
}
