import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatTxidCookie, maybeParseTxidCookie } from './txid-cookie.ts';

test('maybeParseTxidCookie() takes exactly 16 digits, and not zero', () => {
  assert.deepEqual(maybeParseTxidCookie('00000000000000ff'), { epoch: 0, txid: 255n });
  assert.equal(formatTxidCookie({ epoch: 3, txid: 255n }), '00000000000000ff');
  for (const text of ['ff', '0'.repeat(16), '00000000000000FF', '00000000000000ff0', '']) {
    assert.equal(maybeParseTxidCookie(text), undefined);
  }
});
