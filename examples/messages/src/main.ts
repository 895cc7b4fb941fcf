// The application of one node, a process. Everything that it needs to know stands in the
// environment, under the names of the node's own settings:
//
//   SKEIN_MOUNT_PATH, SKEIN_DATA_PATH, SKEIN_DATABASE_NAME   where the database is
//   SKEIN_PROXY_TARGET                                       where to listen, for the proxy
//   SKEIN_ENABLED=false                                      a plain folder, without Skein
//   LOG_LEVEL                                                default "info"

import { connectNode, loadSettings } from '@skein/client';

import { createApp } from './app.ts';
import { MessageStore } from './store.ts';

const DEFAULT_TARGET = '127.0.0.1:8081';

const settings = loadSettings();
const { databaseName, proxyTarget = DEFAULT_TARGET } = settings;
const { hostname, port } = new URL(`http://${proxyTarget}`);

const node = await connectNode(settings);
const store = new MessageStore(node, databaseName);
const app = await createApp({
  node,
  store,
  databaseName,
  logLevel: process.env['LOG_LEVEL'] ?? 'info',
});

const end = async (): Promise<void> => {
  await app.close();
  store.close();
  await node.close();
  // Who listens for a disconnect keeps the channel, and with it the process.
  if (process.connected) process.disconnect();
};
process.once('SIGTERM', () => void end());
process.once('SIGINT', () => void end());
// Whoever started it is gone.
process.once('disconnect', () => void end());

await app.listen({ host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port) });
