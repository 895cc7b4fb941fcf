// `npm run createsuperuser`: makes somebody who may use /admin/. Asks for name and password, or
// takes them from the environment.

import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { createSuperuser } from '@skein/admin';
import { connectNode, loadSettings } from '@skein/client';

import { runCommand } from './run-command.ts';

await runCommand(async () => {
  // There are no options: a word that was meant for one is not passed over.
  parseArgs();
  const settings = loadSettings();
  const node = await connectNode(settings);
  try {
    await createSuperuser({ database: join(node.mountPath, settings.databaseName), node });
  } finally {
    await node.close();
  }
});
