import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { versionOfFlags, versionOfFrame } from './detect-version.ts';
import { FLAG_LZ4, FLAG_NO_CHECKSUM, makeHeader } from './header.ts';
import { toTxid } from './txid.ts';

const txid = toTxid(4);
const header = makeHeader({ pageSize: 4096, commit: 9, minTxid: txid, maxTxid: txid });

const frame = (digits: string): number =>
  versionOfFrame(header, Buffer.from(`ff${digits.replaceAll(' ', '')}`, 'hex'), 1);

describe('versionOfFlags()', () => {
  test('knows the version by any flag', () => {
    assert.equal(versionOfFlags(FLAG_LZ4), 1);
    assert.equal(versionOfFlags(FLAG_NO_CHECKSUM), 3);
    assert.equal(versionOfFlags(0), undefined);
  });
});

describe('versionOfFrame()', () => {
  test('takes what begins as pages do for version 1', () => {
    assert.equal(frame('00000001 53514c697465'), 1, 'the first page of a database');
    assert.equal(frame('00000002 0d0000000100'), 1, 'a leaf of a table');
    assert.equal(frame('00000002 000000000000'), 1, 'a page of zeros');
    assert.equal(frame('00000002 000000040000'), 1, 'an overflow page');
    assert.equal(frame('00000002 000112340000'), 1, 'one whose next is page 70196');
  });

  test('takes a length or an LZ4 frame after the flags for version 3', () => {
    assert.equal(frame('00000002 000100000123'), 3);
    assert.equal(frame('00000002 000100001020'), 3, 'the longest block of a page');
    assert.equal(frame('00000002 000100001021'), 1, 'too long');
    assert.equal(frame('00000002 000100000000'), 1, 'too short');
    assert.equal(frame('00000002 000004224d18'), 3);
  });

  test('tells files without pages apart', () => {
    assert.equal(frame('00000000 800000000000'), 1, 'a post-apply checksum');
    assert.equal(frame('00000000 000000000000'), 3, 'the end of the frames, an index');
  });
});
