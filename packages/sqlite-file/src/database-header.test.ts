import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import {
  bumpChangeCounter,
  bumpSchemaCookie,
  databasePageCount,
  decodeDatabaseHeader,
  isDatabaseHeader,
  setHeaderMode,
} from './database-header.ts';
import { SqliteFormatError } from './errors.ts';
import { sampleDatabaseHeader } from './sample-files.ts';

function withByte(offset: number, value: number): Uint8Array {
  const bytes = sampleDatabaseHeader();
  bytes[offset] = value;
  return bytes;
}

function assertRejected(bytes: Uint8Array, code: string, offset: number): void {
  assert.throws(
    () => decodeDatabaseHeader(bytes),
    (error) =>
      error instanceof SqliteFormatError &&
      error.code === code &&
      error.offset === offset &&
      error.file === 'database',
  );
  assert.equal(isDatabaseHeader(bytes), false);
}

describe('decodeDatabaseHeader()', () => {
  test('decodes every field', () => {
    assert.deepEqual(decodeDatabaseHeader(sampleDatabaseHeader()), {
      pageSize: 4096,
      writeVersion: 2,
      mode: 'wal',
      reservedBytes: 16,
      changeCounter: 7,
      pageCount: 1234,
      freelistTrunk: 77,
      freelistCount: 3,
      schemaCookie: 9,
      schemaFormat: 4,
      defaultCacheSize: -2000,
      largestRootPage: 5,
      textEncoding: 1,
      userVersion: -6,
      incrementalVacuum: true,
      applicationId: 0x5ca1ab1e,
      versionValidFor: 7,
      sqliteVersion: 3_040_001,
    });
  });

  test('reads a header anywhere in a larger buffer', () => {
    const buffer = new Uint8Array(300);
    buffer.set(sampleDatabaseHeader(), 101);
    assert.equal(decodeDatabaseHeader(buffer.subarray(101)).pageCount, 1234);
  });

  test('takes a stored page size of 1 for 65536', () => {
    const bytes = sampleDatabaseHeader();
    bytes.set([0, 1], 16);
    assert.equal(decodeDatabaseHeader(bytes).pageSize, 65_536);
  });

  test('accepts powers of two from 512 to 65536 as page size and nothing near them', () => {
    const powers = Array.from({ length: 16 }, (_, i) => 2 ** i);
    const candidates = powers.flatMap((power) => [power - 1, power, power + 1, power + 256]);
    const accepted = candidates.filter((stored) => {
      const bytes = sampleDatabaseHeader();
      new DataView(bytes.buffer).setUint16(16, stored);
      return isDatabaseHeader(bytes);
    });
    assert.deepEqual(
      [...new Set(accepted)].sort((a, b) => a - b),
      [1, 512, 1024, 2048, 4096, 8192, 16_384, 32_768],
    );
  });

  test('rejects what SQLite rejects', () => {
    assertRejected(withByte(0, 0x73), 'SQLITE_FILE_BAD_MAGIC', 0);
    assertRejected(withByte(15, 0x20), 'SQLITE_FILE_BAD_MAGIC', 0);
    assertRejected(withByte(19, 3), 'SQLITE_FILE_UNSUPPORTED_VERSION', 19);
    for (const offset of [21, 22, 23]) {
      assertRejected(withByte(offset, 33), 'SQLITE_FILE_BAD_FIELD', 21);
    }
    assertRejected(withByte(17, 1), 'SQLITE_FILE_BAD_SIZE', 16);
  });

  test('rejects reserved bytes that leave less than 480 of a page', () => {
    const bytes = sampleDatabaseHeader();
    bytes.set([2, 0], 16);
    bytes[20] = 32;
    assert.equal(decodeDatabaseHeader(bytes).reservedBytes, 32);
    bytes[20] = 33;
    assertRejected(bytes, 'SQLITE_FILE_BAD_FIELD', 20);
  });

  test('accepts what SQLite does not check: write version, encoding, schema format', () => {
    assert.equal(decodeDatabaseHeader(withByte(18, 9)).writeVersion, 9);
    assert.equal(decodeDatabaseHeader(withByte(59, 7)).textEncoding, 7);
    assert.equal(decodeDatabaseHeader(withByte(47, 200)).schemaFormat, 200);
  });

  test('rejects a header cut off at any length', () => {
    for (let length = 0; length < 100; length++) {
      assertRejected(sampleDatabaseHeader().subarray(0, length), 'SQLITE_FILE_TRUNCATED', 0);
    }
  });

  test('decodes or rejects any 100 bytes, and isDatabaseHeader() agrees', () => {
    const mutated = fc.array(fc.tuple(fc.nat(99), fc.nat(255)), { maxLength: 4 }).map((changes) => {
      const bytes = sampleDatabaseHeader();
      for (const [offset, value] of changes) bytes[offset] = value;
      return bytes;
    });
    fc.assert(
      fc.property(mutated, (bytes) => {
        try {
          decodeDatabaseHeader(bytes);
        } catch (error) {
          assert.ok(error instanceof SqliteFormatError);
          assert.equal(isDatabaseHeader(bytes), false);
          return;
        }
        assert.equal(isDatabaseHeader(bytes), true);
      }),
    );
  });
});

describe('databasePageCount()', () => {
  const header = decodeDatabaseHeader(sampleDatabaseHeader());

  test('trusts a count written together with the change counter', () => {
    assert.equal(databasePageCount(header, 1234 * 4096), 1234);
    assert.equal(databasePageCount(header, 9999 * 4096), 1234);
  });

  test('counts the file when the header has no count, or one of an older change', () => {
    assert.equal(databasePageCount({ ...header, pageCount: 0 }, 5 * 4096), 5);
    assert.equal(databasePageCount({ ...header, versionValidFor: 6 }, 5 * 4096), 5);
  });

  test('counts a part of a page as one', () => {
    assert.equal(databasePageCount({ ...header, pageCount: 0 }, 5 * 4096 + 1), 6);
    assert.equal(databasePageCount(header, 1233 * 4096 + 1), 1234);
  });

  test('rejects a file shorter than its header says', () => {
    assert.throws(
      () => databasePageCount(header, 1233 * 4096),
      (error) => error instanceof SqliteFormatError && error.code === 'SQLITE_FILE_TRUNCATED',
    );
  });
});

describe('changes of page 1', () => {
  test('setHeaderMode() sets both versions and nothing else', () => {
    const page1 = sampleDatabaseHeader();
    setHeaderMode(page1, 'rollback');
    assert.deepEqual([page1[18], page1[19]], [1, 1]);
    assert.equal(decodeDatabaseHeader(page1).mode, 'rollback');
    setHeaderMode(page1, 'wal');
    assert.deepEqual(page1, sampleDatabaseHeader());
  });

  test('bumpChangeCounter() leaves a page count that counts, also where it did not before', () => {
    const page1 = sampleDatabaseHeader();
    page1[95] = 6;
    bumpChangeCounter(page1, 50);
    const header = decodeDatabaseHeader(page1);
    assert.deepEqual([header.changeCounter, header.versionValidFor], [8, 8]);
    assert.equal(databasePageCount(header, 99 * 4096), 50);
  });

  test('counters start again at 0 after 2**32 - 1', () => {
    const page1 = sampleDatabaseHeader();
    page1.fill(0xff, 24, 28);
    page1.fill(0xff, 40, 44);
    bumpChangeCounter(page1, 1);
    bumpSchemaCookie(page1);
    const { changeCounter, schemaCookie } = decodeDatabaseHeader(page1);
    assert.deepEqual([changeCounter, schemaCookie], [0, 0]);
  });
});
