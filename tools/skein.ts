// `npm run skein -- …`: the program from its sources, in the folder where npm was called.

import { dirname, join } from 'node:path';
import { chdir, env } from 'node:process';
import { pathToFileURL } from 'node:url';

const root = dirname(import.meta.dirname);
const main = join(root, 'packages', 'skein', 'src', 'cli', 'main.ts');

if (env['INIT_CWD'] !== undefined) chdir(env['INIT_CWD']);
await import(pathToFileURL(main).href);
