// Makes what users run: benches measure that, not the sources.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

/** The daemon, and what the application of examples/messages stands on. */
const PACKAGES = ['skein', 'admin'].map((name) => join('packages', name));

export function buildSkein(): void {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status } = spawnSync(tsc, ['-b', ...PACKAGES], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('Cannot measure what cannot be built');
}
