// Stock SQLite clients that read on a replica while transactions come from the primary: nobody
// waits, nobody fails, nobody sees a state that never was. With and without passthrough of the
// kernel, since the node reaches the memory of its clients in two different ways.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, requirePart, type SqliteProcess } from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { eventually } from './eventually.ts';
import { type NodePair, startPair } from './node-pair.ts';
import { runWell } from './programs.ts';
import { addRows, makeCounted, RestlessReader, writeMany } from './replica-reader.ts';

const PARTS = ['fuse', 'root', 'python3'] as const;

/** Frames that the first block of a wal-index has room for. */
const FIRST_BLOCK_FRAMES = 4062;

interface Setting {
  readonly pair: NodePair;
  readonly writer: SqliteProcess;
  /** Of the database on the replica. */
  readonly path: string;
}

/** A program that waits for a word after what it said first. */
function startScript(
  t: TestContext,
  script: string,
  path: string,
): { readonly output: string; goOn(): void } {
  const child = spawn('python3', ['-c', script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestEnd(t, () => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    output += chunk;
  });
  return {
    get output() {
      return output;
    },
    goOn: () => void child.stdin.end('\n'),
  };
}

for (const passthrough of ['auto', 'off'] as const) {
  describe(`Readers of a replica (passthrough ${passthrough})`, () => {
    async function begin(t: TestContext): Promise<Setting> {
      const pair = await startPair(t, { config: { passthrough } });
      const writer = await connect(t, pair.primary.path('app.db'), { journalMode: 'wal' });
      await makeCounted(writer);
      await pair.caughtUp('app.db');
      return { pair, writer, path: pair.replica.path('app.db') };
    }

    test('see each transaction, and never an error', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, writer, path } = await begin(t);
      const staying = await RestlessReader.start(t, path, 'stay');
      const coming = await RestlessReader.start(t, path, 'reopen');
      for (let n = 1; n <= 200; n++) {
        await addRows(writer);
        if (n % 20 > 0) continue;
        await pair.caughtUp('app.db');
        const late = await connect(t, path);
        assert.equal(await late.value('SELECT n FROM counted'), n);
        await late.kill();
      }
      const late = await connect(t, path);
      assert.deepEqual(await rowsOf(late), await rowsOf(writer));
      assert.deepEqual(await late.exec('PRAGMA integrity_check'), [['ok']]);
      assert.ok((await staying.stopWell()) <= 200);
      assert.ok((await coming.stopWell()) <= 200);
    });

    test('keep their snapshot for thousands of transactions', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, writer, path } = await begin(t);
      await addRows(writer, 50);
      await pair.caughtUp('app.db');
      const reader = await connect(t, path);
      await reader.exec('PRAGMA cache_size = 0');
      await reader.exec('BEGIN');
      const snapshot = await rowsOf(reader);
      const others = await RestlessReader.start(t, path, 'reopen');
      for (let round = 0; round < 4; round++) {
        await writeMany(pair.primary.path('app.db'), { transactions: 700 });
        await pair.caughtUp('app.db');
        assert.deepEqual(await rowsOf(reader), snapshot, `Round ${round}`);
      }
      const frameBytes = 24 + Number(await reader.value('PRAGMA page_size'));
      const frames = statSync(`${path}-wal`).size / frameBytes;
      assert.ok(frames > FIRST_BLOCK_FRAMES, `Only ${frames} frames: the reader held up nothing`);
      await reader.exec('COMMIT');
      assert.deepEqual(await rowsOf(reader), await rowsOf(writer));
      await others.stopWell();
      assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
    });

    test('let the WAL begin anew, though there is always one of them', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, path } = await begin(t);
      const readers = [
        await RestlessReader.start(t, path, 'stay'),
        await RestlessReader.start(t, path, 'reopen'),
      ];
      const load = { transactions: 300, rows: 20, bytes: 1000 };
      // It is cut when it begins anew, unless it is short: then it never was long.
      let largest = 0;
      let rows = 0;
      let isCut = false;
      for (let round = 0; round < 16 && !isCut; round++) {
        await writeMany(pair.primary.path('app.db'), load);
        rows += load.transactions * load.rows;
        await pair.caughtUp('app.db');
        const { size } = statSync(`${path}-wal`);
        isCut = size < largest;
        largest = Math.max(largest, size);
      }
      for (const reader of readers) assert.ok((await reader.stopWell()) <= rows);
      const written = statSync(path).size;
      assert.ok(isCut || largest < written, `${largest} bytes of WAL for ${written} of database`);
      const late = await connect(t, path);
      assert.equal(await late.value('SELECT n FROM counted'), rows);
      assert.deepEqual(await late.exec('PRAGMA integrity_check'), [['ok']]);
    });

    test('may be in the middle of a query', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, writer, path } = await begin(t);
      await writeMany(pair.primary.path('app.db'), { transactions: 20, rows: 50 });
      await pair.caughtUp('app.db');
      const script = `
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
cursor = connection.execute("SELECT id FROM t ORDER BY id")
seen = [cursor.fetchone()[0]]
print("open", flush=True)
sys.stdin.readline()
seen += [row[0] for row in cursor]
print(len(seen), connection.execute("SELECT n FROM counted").fetchone()[0])`;
      const child = startScript(t, script, path);
      await eventually('the cursor is open', () => child.output === 'open\n');
      for (let n = 0; n < 5; n++) await addRows(writer);
      await pair.caughtUp('app.db');
      child.goOn();
      await eventually('the cursor has ended', () => child.output.split('\n').length > 2);
      assert.equal(child.output, 'open\n1000 1005\n');
    });

    test('may lock the database against writers', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, writer, path } = await begin(t);
      const script = `
import fcntl, sys
file = open(sys.argv[1], "rb")
fcntl.lockf(file, fcntl.LOCK_SH, 510, 0x40000002)
print("locked", flush=True)
sys.stdin.read()`;
      const child = startScript(t, script, path);
      await eventually('the lock is held', () => child.output === 'locked\n');
      const reader = await RestlessReader.start(t, path, 'reopen');
      await writeMany(pair.primary.path('app.db'), { transactions: 1500 });
      await pair.caughtUp('app.db');
      await reader.stopWell();
      const late = await connect(t, path);
      assert.deepEqual(await rowsOf(late), await rowsOf(writer));
    });

    test('may open a database as its first transaction comes', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair } = await begin(t);
      for (let n = 0; n < 12; n++) {
        const name = `new-${n}.db`;
        const path = pair.replica.path(name);
        // The kernel remembers that there is no such file.
        assert.equal(existsSync(path), false);
        const maker = await connect(t, pair.primary.path(name), {
          journalMode: n % 2 ? 'wal' : 'delete',
        });
        await makeCounted(maker);
        await eventually(`${name} is there`, () => existsSync(path));
        const readers = [
          await RestlessReader.start(t, path, 'reopen'),
          await RestlessReader.start(t, path, 'reopen'),
        ];
        for (let row = 0; row < 5; row++) await addRows(maker);
        await pair.caughtUp(name);
        for (const reader of readers) await reader.stopWell();
        await maker.kill();
      }
    });

    test('may be killed at any moment', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const { pair, writer, path } = await begin(t);
      const staying = await RestlessReader.start(t, path, 'stay');
      for (let n = 0; n < 20; n++) {
        const victim = await connect(t, path);
        await victim.exec('BEGIN');
        await rowsOf(victim);
        await addRows(writer);
        await victim.kill();
      }
      await writeMany(pair.primary.path('app.db'), { transactions: 1500 });
      await pair.caughtUp('app.db');
      await staying.stopWell();
      assert.equal(runWell('sqlite3', [path, 'SELECT n FROM counted']), '1520');
    });
  });
}
