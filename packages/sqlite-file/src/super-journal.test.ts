import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { bytesSource } from '@skein/bytes';

import { sampleJournal } from './sample-files.ts';
import {
  decodeSuperJournal,
  encodeSuperJournal,
  encodeSuperJournalPointer,
  parseSuperJournalName,
  readSuperJournalName,
} from './super-journal.ts';

const encoder = new TextEncoder();
const NAME = encoder.encode('/mnt/データ/app.db-mj0A1B2C9D3');

/** A journal that ends in a pointer to NAME. */
function journalWithPointer(): Uint8Array {
  const header = { nonce: 1, initialPageCount: 2, sectorSize: 512, pageSize: 512 };
  const journal = sampleJournal(header, [{ pages: [{ pgno: 1 }] }]);
  return Uint8Array.of(...journal, ...encodeSuperJournalPointer(NAME, 512));
}

function nameIn(journal: Uint8Array): Uint8Array | undefined {
  return readSuperJournalName(bytesSource(journal), journal.length);
}

describe('parseSuperJournalName()', () => {
  test('finds the database that a super-journal is named after', () => {
    assert.equal(parseSuperJournalName('app.db-mj0123AF9BC'), 'app.db');
    assert.equal(parseSuperJournalName('a-mj0123AF9BC-mj0123af9bc'), 'a-mj0123AF9BC');
  });

  test('knows what is not one', () => {
    const others = [
      'app.db',
      'app.db-journal',
      'app.db-mj0123AF8BC',
      'app.db-mj0123AF9B',
      'app.db-mj0123AF9BCD',
      'app.db-mj0123AG9BC',
      'app.db-mj 123AF9BC',
    ];
    for (const name of others) assert.equal(parseSuperJournalName(name), undefined);
  });
});

describe('readSuperJournalName()', () => {
  test('reads the name at the end of a journal', () => {
    assert.deepEqual(nameIn(journalWithPointer()), NAME);
  });

  test('accepts the checksum of a machine whose char is unsigned', () => {
    const journal = journalWithPointer();
    const sum = NAME.reduce((total, byte) => total + byte, 0);
    new DataView(journal.buffer).setUint32(journal.length - 12, sum);
    assert.deepEqual(nameIn(journal), NAME);
  });

  test('finds none in a journal without, or of any length', () => {
    const journal = journalWithPointer();
    const pointerAt = journal.length - NAME.length - 20;
    for (let length = 0; length < journal.length; length++) {
      assert.equal(nameIn(journal.subarray(0, length)), undefined);
    }
    assert.ok(pointerAt > 512);
  });

  test('finds none if any byte of the pointer is off, but for the lock page it begins with', () => {
    const journal = journalWithPointer();
    for (let offset = journal.length - NAME.length - 16; offset < journal.length; offset++) {
      journal[offset]! ^= 1;
      assert.equal(nameIn(journal), undefined);
      journal[offset]! ^= 1;
    }
    assert.deepEqual(nameIn(journal), NAME);
  });

  test('finds none that is longer than a path or than the file', () => {
    const long = Uint8Array.of(...new Uint8Array(501).fill(0x61), ...NAME.subarray(-12));
    assert.equal(long.length, 513);
    assert.throws(() => encodeSuperJournalPointer(long, 512), { code: 'ASSERTION_FAILED' });
    const longest = encodeSuperJournalPointer(long.subarray(1), 512);
    assert.deepEqual(nameIn(longest), long.subarray(1));
    const longer = Uint8Array.of(...longest.subarray(0, 4), 0x61, ...longest.subarray(4));
    const view = new DataView(longer.buffer);
    view.setUint32(longer.length - 16, 513);
    view.setUint32(longer.length - 12, view.getUint32(longer.length - 12) + 0x61);
    assert.equal(nameIn(longer), undefined);
    const pointer = encodeSuperJournalPointer(NAME, 512);
    new DataView(pointer.buffer).setUint32(pointer.length - 16, NAME.length + 5);
    assert.equal(nameIn(pointer), undefined);
    new DataView(pointer.buffer).setUint32(pointer.length - 16, 0);
    assert.equal(nameIn(pointer), undefined);
  });

  test('finds none whose name SQLite would not have chosen', () => {
    assert.throws(() => encodeSuperJournalPointer(encoder.encode('/etc/passwd'), 512), {
      code: 'ASSERTION_FAILED',
    });
    const pointer = encodeSuperJournalPointer(NAME, 512);
    // A zero byte ends a path; the sum stays right.
    const withZero = encodeSuperJournalPointer(encoder.encode('/1-mj0000009FF'), 512);
    withZero.set([0, withZero[4]! + withZero[5]!], 4);
    assert.equal(nameIn(withZero), undefined);
    // The same sum, but no name of a super-journal.
    const place = pointer.length - 16 - 12;
    [pointer[place], pointer[place + 1]] = [pointer[place]! + 1, pointer[place + 1]! - 1];
    assert.equal(nameIn(pointer), undefined);
  });
});

describe('encodeSuperJournalPointer()', () => {
  test('puts everything where the format says', () => {
    const pointer = encodeSuperJournalPointer(encoder.encode('/a-mj0000009FF'), 4096);
    const name = '2f612d6d6a30303030303039 4646'.replaceAll(' ', '');
    const sum = [...encoder.encode('/a-mj0000009FF')].reduce((total, byte) => total + byte, 0);
    assert.equal(
      Buffer.from(pointer).toString('hex'),
      `00040001${name}0000000e${sum.toString(16).padStart(8, '0')}d9d505f920a163d7`,
    );
  });
});

describe('super-journal', () => {
  test('is decoded to the names it was encoded from', () => {
    const anyName = fc.uint8Array({ minLength: 1 }).filter((name) => !name.includes(0));
    fc.assert(
      fc.property(fc.array(anyName), (names) => {
        assert.deepEqual(decodeSuperJournal(encodeSuperJournal(names)), names);
      }),
    );
  });

  test('is one zero-terminated path after the other', () => {
    const names = ['/x/a.db-journal', '/y/b.db-journal'].map((name) => encoder.encode(name));
    const content = encoder.encode('/x/a.db-journal\0/y/b.db-journal\0');
    assert.deepEqual(encodeSuperJournal(names), content);
    assert.deepEqual(decodeSuperJournal(content.subarray(0, -1)), names);
    assert.deepEqual(decodeSuperJournal(new Uint8Array(3)), []);
  });
});
