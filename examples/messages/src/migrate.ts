// `npm run migrate`: puts the migrations into the database of this node, which has to be the
// primary's. With --if-primary it does nothing on others, so that all nodes can start alike.

import { parseArgs } from 'node:util';

import { connectNode, loadSettings, type NodeView } from '@skein/client';

import { migrate } from './migrations.ts';
import { runCommand } from './run-command.ts';
import { MessageStore } from './store.ts';

async function migrateNode(node: NodeView, databaseName: string): Promise<void> {
  const { name } = node.state;
  const store = new MessageStore(node, databaseName);
  try {
    const applied = migrate(node, store);
    for (const tag of applied) console.log(`${name}: applied ${tag}`);
    if (applied.length === 0) console.log(`${name}: no migrations to apply`);
  } finally {
    store.close();
  }
}

await runCommand(async () => {
  const { values } = parseArgs({ options: { 'if-primary': { type: 'boolean', default: false } } });
  const settings = loadSettings();
  const node = await connectNode(settings);
  try {
    const { name, role } = node.state;
    if (node.isPrimary || !values['if-primary']) await migrateNode(node, settings.databaseName);
    else console.log(`${name}: nothing to migrate here, this node is ${role}`);
  } finally {
    await node.close();
  }
});
