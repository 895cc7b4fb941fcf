// `npm run migrate`: puts the migrations into the database of this node, which has to be the
// primary's. With --if-primary it does nothing on others, so that all nodes can start alike.

import { parseArgs } from 'node:util';

import { connectNode, loadSettings } from '@skein/client';

import { migrate } from './migrations.ts';
import { MessageStore } from './store.ts';

const { values } = parseArgs({ options: { 'if-primary': { type: 'boolean', default: false } } });
const settings = loadSettings();
const node = await connectNode(settings);
const store = new MessageStore(node, settings.databaseName);
try {
  const { name, role, primary } = node.state;
  if (node.isPrimary) {
    const applied = migrate(node, store);
    for (const tag of applied) console.log(`${name}: applied ${tag}`);
    if (applied.length === 0) console.log(`${name}: no migrations to apply`);
  } else {
    const where = primary === undefined ? 'no primary is known' : `the primary is ${primary.name}`;
    console.log(`${name}: not here, this node is ${role} and ${where}`);
    if (!values['if-primary']) process.exitCode = 1;
  }
} finally {
  store.close();
  await node.close();
}
