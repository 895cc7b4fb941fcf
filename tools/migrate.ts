// `npm run migrate`: puts the migrations of examples/messages into the database, on the primary.

import { runProgram } from '@skein/testkit';

import { runExampleScript } from './start/example-script.ts';

const HELP = `Usage: npm run migrate

Puts the migrations of examples/messages that the database lacks into it, on the primary of what npm
start runs; the other nodes get them by replication. A new one is made by npm run makemigrations.
`;

await runProgram(HELP, () => runExampleScript('migrate.ts', process.argv.slice(2)));
