// The proxy of `bench/proxy.ts`, a process of its own, in front of the app whose port it is told.
// It tells its port when it listens.

import { createNodeLog, NodeMetrics } from '@skein/host';
import { PushedNodeView, startProxy } from '@skein/proxy';

const [port] = process.argv.slice(2);
const view = new PushedNodeView('bench');
view.update({ role: 'primary', positions: [['app.db', { epoch: 1, txid: 1n }]] });
const proxy = await startProxy({
  address: { host: '127.0.0.1', port: 0 },
  target: { host: '127.0.0.1', port: Number(port) },
  database: 'app.db',
  view,
  log: createNodeLog({ format: 'text', level: 'info' }),
  metrics: new NodeMetrics(),
});
process.send!(proxy.address.port);
process.once('disconnect', () => void proxy.close());
