// `npm run skein -- …`: the program from its sources, in the folder where npm was called. For a
// lake, its web page is built where that has not been done.

import { dirname, join } from 'node:path';
import { argv, chdir, env } from 'node:process';
import { pathToFileURL } from 'node:url';

const root = dirname(import.meta.dirname);
const main = join(root, 'packages', 'skein', 'src', 'cli', 'main.ts');

if (argv[2] === 'lake' && argv[3] === 'serve') {
  const { buildConsole } = await import('@skein/testkit');
  await buildConsole();
}
if (env['INIT_CWD'] !== undefined) chdir(env['INIT_CWD']);
await import(pathToFileURL(main).href);
