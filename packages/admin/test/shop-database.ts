// A database as an application has one, with one of everything that a table can be: what the tests
// read and write, and what the pictures in the documentation show.

import { join } from 'node:path';

import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    email TEXT,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    born DATE
  );
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    content TEXT NOT NULL,
    node_name VARCHAR(255) NOT NULL,
    author_id INTEGER REFERENCES authors (id) ON DELETE SET NULL,
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'sent', 'read')),
    priority INTEGER NOT NULL DEFAULT 0,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    length INTEGER GENERATED ALWAYS AS (length(content)) VIRTUAL
  );
  CREATE INDEX messages_created ON messages (created_at);
  CREATE TABLE comments (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    text TEXT NOT NULL
  );
  CREATE TABLE invoices (
    number TEXT NOT NULL PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES authors ON DELETE RESTRICT,
    total DECIMAL(10, 2) NOT NULL,
    paid_at INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE translations (
    message_id INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    language TEXT NOT NULL,
    text TEXT,
    PRIMARY KEY (message_id, language)
  );
  CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    content BLOB,
    details JSON,
    anything
  );
  CREATE VIEW busy_authors AS
    SELECT a.id, a.name, count(*) AS messages
    FROM authors AS a JOIN messages AS m ON m.author_id = a.id GROUP BY a.id;
`;

const AUTHORS = ['Ada Lovelace', 'Grace Hopper', 'Edgar Codd', 'Barbara Liskov', 'Jim Gray'];
const SUBJECTS = [
  'The flock turns south tonight',
  'Created on replica, executed on the primary',
  'Water the plants on Thursday',
  'Minutes of the meeting are in the folder',
  'Who has the key to the boat house?',
  'Snow expected above 800 m',
  'Lunch at noon, bring the cake',
];
const MESSAGES = 120;

/** Creates it in a folder; returns its path. */
export function createShopDatabase(folder: string): string {
  const path = join(folder, 'db.sqlite3');
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  database.exec(SCHEMA);
  database.transaction(() => fill(database))();
  database.close();
  return path;
}

function fill(database: Database.Database): void {
  const author = database.prepare('INSERT INTO authors (name, email, born) VALUES (?, ?, ?)');
  for (const [i, name] of AUTHORS.entries()) {
    const email = i === 4 ? null : `${name.toLowerCase().replace(' ', '.')}@example.com`;
    author.run(name, email, `19${10 + i * 7}-0${1 + i}-1${i}`);
  }
  const message = database.prepare(
    `INSERT INTO messages (content, node_name, author_id, status, priority, created_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  for (let i = 0; i < MESSAGES; i++) {
    const day = String(1 + (i % 28)).padStart(2, '0');
    message.run(
      SUBJECTS[i % SUBJECTS.length],
      `node${1 + (i % 3)}`,
      i % 6 === 5 ? null : 1 + (i % 5),
      ['draft', 'sent', 'read'][i % 3],
      i % 4,
      `2026-10-${day} 0${i % 10}:15:00`,
    );
  }
  const comment = database.prepare('INSERT INTO comments (message_id, text) VALUES (?, ?)');
  for (let i = 0; i < 30; i++) comment.run(1 + (i % 10), `Comment ${i}`);
  const invoice = database.prepare('INSERT INTO invoices VALUES (?, ?, ?, ?)');
  invoice.run('2026/001', 1, 120.5, 1_790_000_000);
  invoice.run('2026/002', 2, 99, null);
  database
    .prepare("INSERT INTO translations VALUES (1, 'de', 'Der Schwarm zieht heute nach Süden')")
    .run();
  const file = database.prepare(
    'INSERT INTO files (name, content, details, anything) VALUES (?, ?, ?, ?)',
  );
  file.run('logo.png', Buffer.alloc(2048, 7), '{"width": 64}', 42);
  file.run('empty', null, null, null);
}
