// Files of a real LiteFS and a real Litestream: see testdata/README.md.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { bytesSource } from '@skein/bytes';

import { DatabaseChecksum, NO_CHECKSUM, pageChecksum } from './checksum.ts';
import { compact } from './compact.ts';
import { LtxEncoder } from './encoder.ts';
import { formatLtxFileName, maybeParseLtxFileName } from './file-name.ts';
import { FLAG_LZ4, FLAG_NO_CHECKSUM, type LtxVersion, isSnapshot } from './header.ts';
import { type LtxSummary, inspectLtx } from './inspect.ts';
import { openPageAccess } from './page-access.ts';
import { lockPgno } from './page-number.ts';
import { formatPosition } from './position.ts';
import { LtxReader } from './reader.ts';
import { concat } from './sample-files.ts';

const NOTHING = new Uint8Array(0);

const testdata = join(import.meta.dirname, '..', 'testdata');

interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function readFiles(folder: string): NamedFile[] {
  const names = readdirSync(folder).sort();
  return names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));
}

function reader(file: NamedFile): LtxReader {
  return new LtxReader(bytesSource(file.bytes));
}

/** The database after the file, as a replica would make it. */
function apply(database: Uint8Array, file: LtxReader): Uint8Array {
  const { commit, pageSize } = file.header;
  const after = new Uint8Array(commit * pageSize);
  after.set(database.subarray(0, after.length));
  for (let page = file.next(); page !== undefined; page = file.next()) {
    after.set(page.bytes.subarray(page.start, page.end), (page.pgno - 1) * pageSize);
  }
  return after;
}

function applyAll(files: readonly NamedFile[]): Uint8Array {
  return files.reduce<Uint8Array>((database, file) => apply(database, reader(file)), NOTHING);
}

function databaseChecksum(database: Uint8Array, pageSize: number): bigint {
  const checksum = new DatabaseChecksum();
  for (let pgno = 1; pgno * pageSize <= database.length; pgno += 1) {
    if (pgno === lockPgno(pageSize)) continue;
    const value = pageChecksum(pgno, database.subarray((pgno - 1) * pageSize, pgno * pageSize));
    checksum.toggle(Number(value >> 32n), Number(value & 0xffffffffn));
  }
  return checksum.value;
}

function inspect(file: NamedFile, version?: LtxVersion): LtxSummary {
  return inspectLtx(bytesSource(file.bytes), { version });
}

/** The same transaction, written by our encoder. */
function rewrite(file: NamedFile): Uint8Array {
  const parts: Uint8Array[] = [];
  const { header, trailer, version } = inspect(file);
  const encoder = new LtxEncoder(
    (bytes, start, end) => parts.push(bytes.slice(start, end)),
    header,
    version,
  );
  const pages = reader(file);
  for (let page = pages.next(); page !== undefined; page = pages.next()) {
    encoder.writePage(page.pgno, page.bytes, page.start);
  }
  const { fileChecksum } = encoder.finish(trailer.postApplyChecksum);
  // That of version 3 covers the lengths of the compressed pages, which may differ.
  if (version === 1) assert.equal(fileChecksum, trailer.fileChecksum);
  return concat(parts);
}

/** Every page through random access equals the one read in order. */
function checkPageAccess(file: NamedFile): void {
  const access = openPageAccess(bytesSource(file.bytes), file.bytes.length);
  const { pageSize, commit } = access.header;
  const page = new Uint8Array(pageSize);
  const pages = reader(file);
  let next = pages.next();
  for (let pgno = 1; pgno <= commit + 1; pgno += 1) {
    const isThere = next?.pgno === pgno;
    assert.equal(access.read(pgno, page), isThere);
    if (!isThere) continue;
    assert.deepEqual(page, next!.bytes.slice(next!.start, next!.end));
    next = pages.next();
  }
}

function compactFiles(files: readonly NamedFile[], version: LtxVersion): NamedFile {
  const parts: Uint8Array[] = [];
  const { header } = compact(
    files.map((file) => reader(file)),
    (bytes, start, end) => parts.push(bytes.slice(start, end)),
    { version },
  );
  return { name: formatLtxFileName(header), bytes: concat(parts) };
}

for (const name of readdirSync(join(testdata, 'litefs'))) {
  describe(`LiteFS, ${name}`, () => {
    const folder = join(testdata, 'litefs', name);
    const files = readFiles(join(folder, 'ltx'));
    const exported = new Uint8Array(readFileSync(join(folder, 'export.db')));

    test('has files of version 1, whose names are their TXIDs', () => {
      for (const file of files) {
        const { header, version, sizeBytes } = inspect(file);
        assert.equal(version, 1);
        assert.equal(formatLtxFileName(header), file.name);
        assert.equal(sizeBytes, file.bytes.length);
      }
    });

    test('has files each of which begins where the one before ended', () => {
      let post = NO_CHECKSUM;
      for (const file of files) {
        const { header, trailer } = inspect(file);
        assert.equal(header.preApplyChecksum, post);
        post = trailer.postApplyChecksum;
      }
    });

    test('gives the exported database when its files are applied in order', () => {
      let database = new Uint8Array(0);
      for (const file of files) {
        const pages = reader(file);
        database = new Uint8Array(apply(database, pages));
        const checksum = databaseChecksum(database, pages.header.pageSize);
        assert.equal(checksum, pages.trailer.postApplyChecksum, file.name);
      }
      assert.ok(Buffer.from(database).equals(exported));
    });

    test('ends at the position that it told', () => {
      const { header, trailer } = inspect(files.at(-1)!);
      const position = { txid: header.maxTxid, checksum: trailer.postApplyChecksum };
      assert.equal(
        `${formatPosition(position)}\n`,
        readFileSync(join(folder, 'pos'), { encoding: 'utf8' }),
      );
    });

    test('has files that our encoder writes with the same content, raw ones byte for byte', () => {
      for (const file of files) {
        const ours = rewrite(file);
        const isRaw = (inspect(file).header.flags & FLAG_LZ4) === 0;
        if (isRaw) assert.ok(Buffer.from(ours).equals(file.bytes), file.name);
      }
    });

    test('has files that compact to one snapshot of the exported database', () => {
      for (const version of [1, 3] as const) {
        const snapshot = compactFiles(files, version);
        assert.equal(inspect(snapshot).version, version);
        assert.ok(Buffer.from(applyAll([snapshot])).equals(exported));
        checkPageAccess(snapshot);
      }
    });

    test('has files of which any run compacts to the same change', () => {
      for (let from = 1; from < files.length; from += 1) {
        const before = applyAll(files.slice(0, from));
        const merged = compactFiles(files.slice(from), 3);
        assert.ok(Buffer.from(apply(before, reader(merged))).equals(exported));
      }
    });

    test('has raw files of which single pages can be read', () => {
      for (const file of files) {
        const isRaw = (inspect(file).header.flags & FLAG_LZ4) === 0;
        if (isRaw) checkPageAccess(file);
        else assert.throws(() => checkPageAccess(file), { code: 'LTX_COMPRESSION' });
      }
    });
  });
}

for (const name of readdirSync(join(testdata, 'litestream'))) {
  describe(`Litestream, ${name}`, () => {
    const folder = join(testdata, 'litestream', name);
    const levels = new Map(
      readdirSync(join(folder, 'ltx')).map((level) => [
        level,
        readFiles(join(folder, 'ltx', level)),
      ]),
    );
    const all = [...levels.values()].flat();
    const restored = new Uint8Array(readFileSync(join(folder, 'restored.db')));

    test('has files of version 3 without checksums, whose names are their TXIDs', () => {
      for (const file of all) {
        const { header, version, sizeBytes } = inspect(file);
        assert.equal(version, 3);
        assert.equal(header.flags, FLAG_NO_CHECKSUM);
        assert.equal(formatLtxFileName(header), file.name);
        assert.equal(sizeBytes, file.bytes.length);
        assert.deepEqual(inspect(file, 3), inspect(file));
      }
    });

    test('gives the restored database when level 0 is applied in order', () => {
      assert.ok(Buffer.from(applyAll(levels.get('0')!)).equals(restored));
    });

    test('has compactions and snapshots that hold what level 0 holds', () => {
      for (const file of all.filter((each) => !levels.get('0')!.includes(each))) {
        const range = maybeParseLtxFileName(file.name)!;
        const parts = levels.get('0')!.filter((each) => {
          const { minTxid, maxTxid } = maybeParseLtxFileName(each.name)!;
          return minTxid >= range.minTxid && maxTxid <= range.maxTxid;
        });
        const earlier = levels.get('0')!.slice(0, levels.get('0')!.indexOf(parts[0]!));
        const before = applyAll(earlier);
        const expected = parts.reduce((database, part) => apply(database, reader(part)), before);
        assert.ok(Buffer.from(apply(before, reader(file))).equals(expected), file.name);
        const ours = compactFiles(parts, 3);
        assert.equal(ours.name, file.name);
        assert.ok(Buffer.from(apply(before, reader(ours))).equals(expected), file.name);
      }
    });

    test('compacts to a snapshot of version 1 with the checksum of the restored database', () => {
      const snapshot = inspect(compactFiles(levels.get('0')!, 1));
      assert.ok(isSnapshot(snapshot.header));
      const expected = databaseChecksum(restored, snapshot.header.pageSize);
      assert.equal(snapshot.trailer.postApplyChecksum, expected);
    });

    test('has files that our encoder writes with the same content', () => {
      for (const file of all) {
        const ours = { name: file.name, bytes: rewrite(file) };
        const { header, pageCount } = inspect(file);
        assert.deepEqual(inspect(ours).header, header);
        assert.equal(inspect(ours).pageCount, pageCount);
      }
    });

    test('has files of which single pages can be read by the index', () => {
      for (const file of all) checkPageAccess(file);
    });
  });
}
