// What an application does with a database on the mount, which is nothing special: it opens the
// file and uses it. Run by itself: `node demo-client.ts FILE`.

import { DatabaseSync } from 'node:sqlite';

const [path] = process.argv.slice(2);
if (path === undefined) throw new RangeError('Expected the path of a database');

const db = new DatabaseSync(path, { timeout: 5000 });
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, at TEXT, body TEXT)');
const insert = db.prepare('INSERT INTO note (at, body) VALUES (?, ?)');
const at = new Date().toISOString();
if (db.prepare('SELECT 1 FROM note').get() === undefined) {
  db.exec('BEGIN');
  for (const body of ['Geese fly in a skein', 'One leads', 'The others follow in its wake']) {
    insert.run(at, body);
  }
  db.exec('COMMIT');
} else {
  insert.run(at, 'Started again');
}
for (const { id, body } of db.prepare('SELECT id, body FROM note ORDER BY id').all()) {
  console.log(`  ${String(id)}  ${String(body)}`);
}
db.close();
