// An application with the plugin of @skein/client and without a proxy in front: it forwards writes
// to the application of the primary. Sends its parent a message when it listens.
//
//   node plugin-app.ts --database FILE --node NAME --port PORT --data FOLDER --primary-app URL

import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { connectNode, openDatabase } from '@skein/client';
import { skeinExpress, skeinExpressErrors } from '@skein/client/express';
import express from 'express';

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    node: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
    data: { type: 'string', default: '' },
    'primary-app': { type: 'string', default: '' },
  },
});
const node = await connectNode({
  mountPath: dirname(values.database),
  dataPath: values.data,
  enabled: true,
});
const name = basename(values.database);
const database = openDatabase(node, { database: name });
if (node.isPrimary) database.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, by TEXT)');

const app = express();
app.use(skeinExpress({ node, database: name, forward: () => values['primary-app'] }));
app.post('/t', (_request, response) => {
  const { lastInsertRowid } = database.prepare('INSERT INTO t (by) VALUES (?)').run(values.node);
  response.status(201).json({ id: Number(lastInsertRowid), by: values.node });
});
app.get('/t', (_request, response) => {
  response.json({ ids: database.prepare('SELECT id FROM t').pluck().all(), by: values.node });
});
app.use(skeinExpressErrors({ node }));
app.listen(Number(values.port), '127.0.0.1', () => process.send!('listening'));
