// Files made, and recovered, by every SQLite that this machine has, each in a process of its own: what
// we read from them is what that SQLite reads.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { requirePart, tempDir, type PartName } from '@skein/testkit';

import { bytesSource } from './byte-source.ts';
import { openHotJournal } from './journal-playback.ts';
import { WalChain } from './wal-frame.ts';
import { readWalHeader } from './wal-header.ts';
import { WAL_INDEX_BLOCK_SIZE, walIndexBlock, type WalIndexBlock } from './wal-index-block.ts';
import { commitToWalIndex } from './wal-index-commit.ts';
import { readWalIndexHeader, type WalIndexHeader } from './wal-index-header.ts';
import { readWalFrames } from './wal-reader.ts';

/** One line of SQL, or files to copy while the connection is open. */
type Step = string | { readonly copy: readonly [from: string, to: string] };

interface Program {
  readonly name: string;
  readonly part?: PartName;
  readonly command: string;
  /** Arguments and input that make it run the steps on a database. */
  readonly run: (path: string, steps: readonly Step[]) => { args: string[]; input: string };
}

const PYTHON = `
import json, shutil, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for step in json.load(sys.stdin):
    if isinstance(step, str):
        db.execute(step).fetchall()
    else:
        shutil.copy(*step['copy'])
`;

function nodeScript(open: string): string {
  return `const db = ${open};
    for (const step of JSON.parse(require('node:fs').readFileSync(0, 'utf8'))) {
      if (typeof step === 'string') db.exec(step);
      else require('node:fs').copyFileSync(...step.copy);
    }
    db.close();`;
}

function nodeProgram(name: string, open: string): Program {
  return {
    name,
    command: process.execPath,
    run: (path, steps) => ({
      args: ['--no-warnings', '-e', nodeScript(open), path],
      input: JSON.stringify(steps),
    }),
  };
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'the sqlite3 shell',
    part: 'sqlite3',
    command: 'sqlite3',
    run: (path, steps) => {
      const lines = steps.map((step) => {
        return typeof step === 'string' ? `${step};` : `.shell cp ${step.copy.join(' ')}`;
      });
      return { args: ['-bail', path], input: lines.join('\n') };
    },
  },
  {
    name: 'Python',
    part: 'python3',
    command: 'python3',
    run: (path, steps) => ({ args: ['-c', PYTHON, path], input: JSON.stringify(steps) }),
  },
  nodeProgram('node:sqlite', "new (require('node:sqlite').DatabaseSync)(process.argv[1])"),
  nodeProgram('better-sqlite3', "new (require('better-sqlite3'))(process.argv[1])"),
];

function run(program: Program, path: string, steps: readonly Step[]): void {
  const { args, input } = program.run(path, steps);
  const { status, stderr } = spawnSync(program.command, args, {
    cwd: import.meta.dirname,
    input,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${program.name}: ${stderr}`);
}

/** A copy of its own, unlike a Buffer, whose slice() shares memory. */
function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

const MANY_ROWS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
  INSERT INTO t SELECT i, printf('row %d %.*c', i, 150, 'x') FROM n`.replaceAll('\n', ' ');

const SPILL = ['PRAGMA cache_size = 4', 'PRAGMA cache_spill = 2'];

/** Leaves before.db, and hot.db with its journal as in the middle of a transaction. */
function makeHotJournal(program: Program, folder: string, pageSize: number): void {
  const path = join(folder, 'made.db');
  const hot = join(folder, 'hot.db');
  run(program, path, [
    `PRAGMA page_size = ${pageSize}`,
    'CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)',
    MANY_ROWS,
    { copy: [path, join(folder, 'before.db')] },
    ...SPILL,
    'BEGIN',
    "UPDATE t SET body = 'new ' || body",
    'INSERT INTO t (body) SELECT body FROM t',
    { copy: [path, hot] },
    { copy: [`${path}-journal`, `${hot}-journal`] },
    'ROLLBACK',
  ]);
}

/** Leaves logged.db with its WAL as after a crash, and the wal-index of that moment aside. */
function makeLog(program: Program, folder: string, pageSize: number): void {
  const path = join(folder, 'made.db');
  const logged = join(folder, 'logged.db');
  run(program, path, [
    `PRAGMA page_size = ${pageSize}`,
    'PRAGMA journal_mode = WAL',
    'PRAGMA wal_autocheckpoint = 0',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)',
    MANY_ROWS,
    ...SPILL,
    'BEGIN',
    "UPDATE t SET body = 'once ' || body",
    "UPDATE t SET body = 'twice ' || body",
    'COMMIT',
    'DELETE FROM t WHERE id > 100',
    { copy: [path, logged] },
    { copy: [`${path}-wal`, `${logged}-wal`] },
    { copy: [`${path}-shm`, join(folder, 'index')] },
  ]);
}

/** What the frames of a WAL that ends with a commit say. */
interface Log {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageCount: number;
  readonly index: WalIndexBlock;
  readonly header: WalIndexHeader;
}

const EMPTY_INDEX: WalIndexHeader = {
  changeCounter: 0,
  bigEndianChecksums: false,
  pageSize: 0,
  mxFrame: 0,
  pageCount: 0,
  frameChecksum1: 0,
  frameChecksum2: 0,
  salt1: 0,
  salt2: 0,
};

function readLog(bytes: Uint8Array, changeCounter: number): Log {
  const source = bytesSource(bytes);
  const wal = readWalHeader(source)!;
  const chain = new WalChain(wal);
  const pgnos: number[] = [];
  const pages = new Map<number, Uint8Array>();
  let pageCount = 0;
  for (const { pgno, commit, page } of readWalFrames(source, chain)) {
    pgnos.push(pgno);
    pages.set(pgno, page.slice());
    pageCount = commit;
  }
  const index = walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE), 0);
  const transaction = { pgnos, pageCount, sums: chain.sums };
  const empty = { ...EMPTY_INDEX, changeCounter: changeCounter - 1 };
  const header = commitToWalIndex([index], empty, wal, transaction);
  return { pages, pageCount, index, header };
}

for (const program of PROGRAMS) {
  describe(program.name, () => {
    for (const pageSize of [512, 4096, 65_536]) {
      it(`leaves journals that we play back as it does, pages of ${pageSize} bytes`, (t) => {
        if (program.part !== undefined && !requirePart(t, program.part)) return;
        const folder = tempDir(t);
        makeHotJournal(program, folder, pageSize);
        const hot = join(folder, 'hot.db');
        const before = readBytes(join(folder, 'before.db'));
        const bytes = readBytes(`${hot}-journal`);
        const journal = openHotJournal(bytesSource(bytes), pageSize)!;
        const ours = readBytes(hot).slice(0, journal.initialPageCount * pageSize);
        assert.ok(!Buffer.from(before).equals(ours));
        for (const { pgno, page } of journal.records) ours.set(page, (pgno - 1) * pageSize);
        assert.ok(Buffer.from(before).equals(ours));
        run(program, hot, ['SELECT count(*) FROM t']);
        assert.ok(Buffer.from(before).equals(readBytes(hot)));
      });

      it(`leaves WALs and indexes that we read as it does, pages of ${pageSize} bytes`, (t) => {
        if (program.part !== undefined && !requirePart(t, program.part)) return;
        const folder = tempDir(t);
        makeLog(program, folder, pageSize);
        const logged = join(folder, 'logged.db');
        const index = walIndexBlock(readBytes(join(folder, 'index')), 0);
        const header = readWalIndexHeader(index)!;
        const log = readLog(readBytes(`${logged}-wal`), header.changeCounter);
        assert.deepEqual(header, log.header);
        assert.deepEqual(index.pgnos, log.index.pgnos);
        assert.deepEqual(index.slots, log.index.slots);

        const ours = new Uint8Array(log.pageCount * pageSize);
        ours.set(readBytes(logged).subarray(0, ours.length));
        for (const [pgno, page] of log.pages) ours.set(page, (pgno - 1) * pageSize);
        run(program, logged, ['PRAGMA wal_checkpoint(TRUNCATE)']);
        assert.ok(Buffer.from(ours).equals(readBytes(logged)));
      });
    }
  });
}
