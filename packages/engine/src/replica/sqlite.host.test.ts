// What a replica shows, read by SQLite itself: the database file as clients read it, with the WAL
// beside it, for every page size, and for a primary in rollback mode and in WAL mode.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { SeededRandom, SimDisk, tempDir } from '@skein/testkit';

import type { MountFile } from '../files/mount-file.ts';
import { openReplica, receive } from '../../test/replica-run.ts';
import type { Pages } from '../../test/sample-database.ts';
import { SentHistory } from '../../test/sent-history.ts';
import type { SimNode } from '../../test/sim-node.ts';

const NAME = 'app.db';
const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

const STEPS = [
  'CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); CREATE INDEX i ON t (body)',
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800)
    INSERT INTO t SELECT i, printf('row %d %.*c', i, 150, 'x') FROM n`,
  "UPDATE t SET body = 'changed ' || id WHERE id % 7 = 0",
  'DELETE FROM t WHERE id > 40',
  'VACUUM',
  "INSERT INTO t (body) VALUES ('after the vacuum')",
];

describe('SQLite reads what a replica shows', () => {
  for (const pageSize of PAGE_SIZES) {
    for (const mode of ['DELETE', 'WAL'] as const) {
      test(`page size ${pageSize}, primary in ${mode} mode`, (t) => {
        const folder = tempDir(t);
        const source = join(folder, 'source.db');
        const db = new DatabaseSync(source);
        db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = ${mode}`);
        const node = openReplica(new SimDisk({ seed: 1 }), { segmentBytes: 8 * 1024 * 1024 });
        const history = new SentHistory(new SeededRandom(1), NAME, pageSize);
        for (const [n, step] of STEPS.entries()) {
          db.exec(step);
          // All of it into the file: its pages are what the primary has.
          if (mode === 'WAL') db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
          assert.equal(receive(node, [history.become(pagesOf(source, pageSize))]).takenCount, 1);
          node.rest();
          if (n === 3) node.pass(61_000);
          const rows = db.prepare('SELECT * FROM t ORDER BY id').all();
          assert.deepEqual(rowsOf(join(folder, `${n}.db`), node), rows);
        }
        db.close();
        node.close();
      });
    }
  }
});

function pagesOf(path: string, pageSize: number): Pages {
  const bytes = new Uint8Array(readFileSync(path));
  return Array.from({ length: bytes.length / pageSize }, (_, n) =>
    bytes.slice(n * pageSize, (n + 1) * pageSize),
  );
}

function rowsOf(path: string, node: SimNode): unknown[] {
  writeFileSync(path, contentOf(node.engine.store.find(NAME)!));
  writeFileSync(`${path}-wal`, contentOf(node.engine.store.find(`${NAME}-wal`)!));
  const db = new DatabaseSync(path);
  assert.deepEqual(Object.values(db.prepare('PRAGMA journal_mode').get()!), ['wal']);
  assert.deepEqual(Object.values(db.prepare('PRAGMA integrity_check').get()!), ['ok']);
  const rows = db.prepare('SELECT * FROM t ORDER BY id').all();
  db.close();
  return rows;
}

function contentOf(file: MountFile): Uint8Array {
  const bytes = new Uint8Array(file.sizeBytes);
  file.read(bytes, 0, bytes.length, 0);
  return bytes;
}
