// `npm run makemigrations`: writes, for what has changed in the schema of examples/messages since
// the last one, a migration beside the others. Drizzle Kit does it, and asks where it cannot know
// whether something was renamed. `-- --name WORD` names it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { EXAMPLE } from './start/demo.ts';

const entry = createRequire(join(EXAMPLE, 'package.json')).resolve('drizzle-kit');
const kit = join(dirname(entry), 'bin.cjs');
const paths = ['--schema', './src/schema.ts', '--out', './migrations'];
const args = [kit, 'generate', '--dialect', 'sqlite', ...paths, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: EXAMPLE, stdio: 'inherit' });
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;
