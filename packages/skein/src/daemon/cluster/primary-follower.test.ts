import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { findPrimaryUrl } from './primary-follower.ts';

const ONE = ['http://node1:20202/'];
/** The ports of one machine. */
const SEVERAL = ['http://127.0.0.1:20202/', 'http://127.0.0.1:20203/'];
const SAID = 'http://127.0.0.1:20203/';
const COMPAT = { allowFrom: ['127.0.0.1'] };

function find(urls: readonly string[], isCompatible: boolean, known?: string): string | undefined {
  const compat = isCompatible ? COMPAT : undefined;
  return findPrimaryUrl({ primary: { name: 'node1', urls }, compat }, known);
}

describe('a replica', () => {
  test('follows nobody until a node says that it is the primary', () => {
    assert.equal(find(ONE, false), undefined);
    assert.equal(find(SEVERAL, false), undefined);
  });

  test('follows where it is configured to, whatever the primary is called there', () => {
    assert.equal(find(ONE, false, SAID), ONE[0]);
    assert.equal(find(ONE, true, SAID), ONE[0]);
  });

  test('follows where the primary is, if it can be at several places', () => {
    assert.equal(find(SEVERAL, false, SAID), SAID);
    assert.equal(find(SEVERAL, true, SAID), SAID);
  });

  test('follows where a LiteFS may be, which does not say that it is the primary', () => {
    assert.equal(find(ONE, true), ONE[0]);
    assert.equal(find(SEVERAL, true), SEVERAL[0]);
  });
});
