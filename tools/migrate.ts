// `npm run migrate`: puts the migrations of examples/messages into the database, on the primary.

import { runCommand } from '@skein/testkit';

import { runExampleScript } from './start/example-script.ts';

await runCommand(() => runExampleScript('migrate.ts', process.argv.slice(2)));
