// The app of `bench/proxy.ts`, a process of its own: reads rows of a SQLite database for each
// request, or, at `/health`, does nothing. Tells its port when it listens.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

const [path] = process.argv.slice(2);
const db = new DatabaseSync(path!);
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT)');
const insert = db.prepare('INSERT INTO message (body) VALUES (?)');
for (let i = 0; i < 1000; i += 1) insert.run(`This is message ${i}, of a usual length`);
const select = db.prepare('SELECT id, body FROM message ORDER BY id DESC LIMIT 50');

const server = createServer((request, response) => {
  const body = JSON.stringify(request.url === '/health' ? 'ok' : select.all());
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => {
  server.close();
  server.closeAllConnections();
});
