// Super-journals between SQLite and us: the pointers that it writes we read, those that we write it
// believes; and hot journals that point to one are rolled back only while it exists.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import {
  requireDriver,
  SQLITE_DRIVERS,
  startSqlite,
  tempDir,
  type SqliteProcess,
} from '@skein/testkit';

import { bytesSource } from '@skein/bytes';

import {
  decodeSuperJournal,
  encodeSuperJournal,
  encodeSuperJournalPointer,
  parseSuperJournalName,
  readSuperJournalName,
} from './super-journal.ts';

const PAGE_SIZE = 4096;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** Leaves a database and a hot journal as a crash does, the journal pointing to `superJournal`. */
function leaveHotDatabase(path: string, superJournal: string): void {
  const made = `${path}.made`;
  const db = new DatabaseSync(made);
  db.exec(`CREATE TABLE t (a); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    WHERE i < 200) INSERT INTO t SELECT 'old' || zeroblob(500) FROM n;
    PRAGMA cache_size = 4; PRAGMA cache_spill = 2; BEGIN; UPDATE t SET a = 'new' || zeroblob(500)`);
  writeFileSync(path, readFileSync(made));
  const journal = readFileSync(`${made}-journal`);
  const pointer = encodeSuperJournalPointer(bytesOf(superJournal), PAGE_SIZE);
  writeFileSync(`${path}-journal`, Buffer.concat([journal, pointer]));
  db.exec('ROLLBACK');
  db.close();
}

/** How many rows are as the interrupted transaction had left them. */
function countNewRows(path: string): unknown {
  const db = new DatabaseSync(path);
  try {
    return db.prepare("SELECT count(*) AS n FROM t WHERE a LIKE 'new%'").get()?.['n'];
  } finally {
    db.close();
  }
}

describe('a pointer that we write', () => {
  for (const name of ['plain', 'ünïcödé-データ']) {
    test(`makes SQLite roll back while its super-journal exists (${name})`, (t) => {
      const folder = tempDir(t);
      const paths = ['a', 'b'].map((letter) => join(folder, `${name}-${letter}.db`));
      const superJournal = `${paths[0]!}-mj0C0FFE9AB`;
      const children = paths.map((path) => bytesOf(`${path}-journal`));
      for (const path of paths) leaveHotDatabase(path, superJournal);
      writeFileSync(superJournal, encodeSuperJournal(children));

      assert.equal(countNewRows(paths[0]!), 0);
      assert.ok(existsSync(superJournal), 'The other journal still points to it');
      assert.equal(countNewRows(paths[1]!), 0);
      assert.ok(!existsSync(superJournal), 'The last one removes it');
    });
  }

  test('makes SQLite leave the changes once its super-journal is gone', (t) => {
    const path = join(tempDir(t), 'a.db');
    leaveHotDatabase(path, `${path}-mj0C0FFE9AB`);
    const before = readFileSync(path);
    assert.notEqual(countNewRows(path), 0);
    assert.ok(before.equals(readFileSync(path)));
    assert.ok(!existsSync(`${path}-journal`));
  });
});

interface Sighting {
  readonly superJournal: string;
  readonly children: readonly string[];
}

/** A super-journal and a journal that points to it, if they are there at this moment. */
function look(journal: string): Sighting | undefined {
  try {
    const bytes = new Uint8Array(readFileSync(journal));
    const name = readSuperJournalName(bytesSource(bytes), bytes.length);
    if (name === undefined) return undefined;
    const content = new Uint8Array(readFileSync(textOf(name)));
    const children = decodeSuperJournal(content).map(textOf);
    return { superJournal: textOf(name), children };
  } catch (error) {
    // Files come and go while we look.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Looks until the commit is over. */
async function watchCommit(client: SqliteProcess, journal: string): Promise<Sighting | undefined> {
  const watch = { isOver: false };
  const commit = client.exec('COMMIT').finally(() => {
    watch.isOver = true;
  });
  let sighting: Sighting | undefined;
  while (!watch.isOver) {
    sighting ??= look(journal);
    await turn();
  }
  await commit;
  return sighting;
}

describe('a pointer that SQLite writes', () => {
  for (const driver of SQLITE_DRIVERS) {
    test(`names a super-journal that lists the transaction's journals (${driver})`, async (t) => {
      if (!requireDriver(t, driver)) return;
      const folder = tempDir(t);
      const [main, other] = ['main ü.db', 'other.db'].map((name) => join(folder, name));
      const client = startSqlite(t, { driver });
      await client.open(main!);
      await client.exec('ATTACH ? AS other', [other!]);
      for (const schema of ['main', 'other']) await client.exec(`CREATE TABLE ${schema}.t (a)`);
      // It is there for a millisecond or so, and we may look at the wrong moment.
      let sighting: Sighting | undefined;
      for (let round = 0; sighting === undefined; round++) {
        assert.ok(round < 1000, 'No super-journal in a thousand transactions');
        await client.exec('BEGIN');
        for (const schema of ['main', 'other']) {
          await client.exec(`INSERT INTO ${schema}.t VALUES (1)`);
        }
        sighting = await watchCommit(client, `${main!}-journal`);
      }
      assert.equal(dirname(sighting.superJournal), folder);
      assert.equal(parseSuperJournalName(basename(sighting.superJournal)), 'main ü.db');
      assert.deepEqual(sighting.children, [`${main!}-journal`, `${other!}-journal`]);
    });
  }
});
