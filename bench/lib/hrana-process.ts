// The SQL server of `bench/hrana.ts`, a process of its own over the folder that it is told. It
// tells its port when it listens.

import { NodeView, startSqlServer } from '@skein/hrana';
import { createNodeLog } from '@skein/host';

const [folder] = process.argv.slice(2);
const view = new NodeView('bench');
view.update({ role: 'primary', epoch: 1 });
const server = await startSqlServer({
  address: { host: '127.0.0.1', port: 0 },
  folder: folder!,
  token: undefined,
  database: 'app.db',
  databases: undefined,
  view,
  log: createNodeLog({ format: 'text', level: 'info' }),
});
process.send!(server.address.port);
process.once('disconnect', () => void server.close());
