// `npm run createsuperuser`: makes somebody who may use the admin of examples/messages.

import { runCommand } from '@skein/testkit';

import { runExampleScript } from './start/example-script.ts';

await runCommand(() => runExampleScript('create-superuser.ts', process.argv.slice(2)));
