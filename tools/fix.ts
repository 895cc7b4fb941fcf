// Formats every file and applies the lint fixes that are safe.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const bin = join(root, 'node_modules', '.bin');

spawnSync(join(bin, 'oxlint'), ['--type-aware', '--fix', '.'], { cwd: root, stdio: 'inherit' });
spawnSync(join(bin, 'oxfmt'), ['--write', '.'], { cwd: root, stdio: 'inherit' });
spawnSync(process.execPath, [...process.execArgv, join(root, 'tools', 'tidy.ts'), '--fix'], {
  cwd: root,
  stdio: 'inherit',
});
