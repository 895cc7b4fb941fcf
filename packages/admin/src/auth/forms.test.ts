import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  formToken,
  isFormToken,
  isLoginToken,
  isSameOrigin,
  loginNonce,
  loginToken,
} from './forms.ts';

const KEY = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);

describe('tokens', () => {
  test('are of one session and one key', () => {
    const token = formToken(KEY, 'session');
    assert.equal(isFormToken(KEY, 'session', token), true);
    assert.equal(isFormToken(KEY, 'another', token), false);
    assert.equal(isFormToken(OTHER, 'session', token), false);
    assert.equal(isFormToken(KEY, 'session', ''), false);
  });

  test('to log in are of one browser, and no tokens of a session', () => {
    const nonce = loginNonce(undefined);
    const token = loginToken(KEY, nonce);
    assert.equal(loginNonce(nonce), nonce);
    assert.notEqual(loginNonce('forged'), 'forged');
    assert.equal(isLoginToken(KEY, nonce, token), true);
    assert.equal(isLoginToken(KEY, loginNonce(undefined), token), false);
    assert.equal(isLoginToken(KEY, undefined, token), false);
    assert.equal(isLoginToken(KEY, '', loginToken(KEY, '')), false);
    assert.equal(isFormToken(KEY, nonce, token), false);
  });
});

test('isSameOrigin() believes the browser, and a token where it says nothing', () => {
  const site = { hosts: ['node2:8000'], origins: ['https://admin.example.com'] };
  const is = (headers: Readonly<Record<string, string>>): boolean =>
    isSameOrigin(new Headers(headers), site);
  assert.equal(is({}), true);
  assert.equal(is({ 'sec-fetch-site': 'same-origin' }), true);
  assert.equal(is({ 'sec-fetch-site': 'none' }), false);
  assert.equal(is({ 'sec-fetch-site': 'cross-site' }), false);
  assert.equal(is({ origin: 'http://node2:8000' }), true);
  assert.equal(is({ origin: 'https://node2:8000' }), true);
  assert.equal(is({ origin: 'http://node2:8001' }), false);
  assert.equal(is({ origin: 'http://node2:8000.evil.example' }), false);
  assert.equal(is({ origin: 'null' }), false);
  assert.equal(is({ origin: '' }), false);
  assert.equal(is({ origin: 'https://admin.example.com' }), true);
  assert.equal(is({ origin: 'http://admin.example.com' }), false);
});
