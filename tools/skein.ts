// `npm run skein -- …`: the program from its sources, in the folder where npm was called.

import { chdir, env } from 'node:process';

if (env['INIT_CWD'] !== undefined) chdir(env['INIT_CWD']);
// By its address: what is imported here by name would be built, and the program ends the process.
await import(new URL('../packages/skein/src/cli/main.ts', import.meta.url).href);
