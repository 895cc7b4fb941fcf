// `npm run createsuperuser`: makes somebody who may use the admin of examples/messages.

import { runProgram } from '@skein/testkit';

import { runExampleScript } from './start/example-script.ts';

const HELP = `Usage: npm run createsuperuser

Makes somebody who may use /admin/ of what npm start runs. It asks for the name, an address and the
password; SKEIN_SUPERUSER_USERNAME, _EMAIL and _PASSWORD in the environment are not asked for.
`;

await runProgram(HELP, () => runExampleScript('create-superuser.ts', process.argv.slice(2)));
