import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { LoginAttempts } from './attempts.ts';

const ADA = { username: 'ada', address: '192.0.2.1' };

function fail(attempts: LoginAttempts, attempt: typeof ADA, times: number, nowMs = 0): void {
  for (let i = 0; i < times; i++) attempts.begin(attempt, nowMs);
}

describe('LoginAttempts', () => {
  test('lets five mistakes go, then doubles the wait up to five minutes', () => {
    const attempts = new LoginAttempts();
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 20; i++) {
      const waitMs = attempts.waitMs(ADA, nowMs);
      waits.push(waitMs);
      nowMs += waitMs;
      attempts.begin(ADA, nowMs);
    }
    assert.deepEqual(waits.slice(0, 9), [0, 0, 0, 0, 0, 1000, 2000, 4000, 8000]);
    assert.equal(waits.at(-1), 300_000);
  });

  test('waits for nobody else at that address, nor for that name elsewhere, at first', () => {
    const attempts = new LoginAttempts();
    fail(attempts, ADA, 6);
    assert.ok(attempts.waitMs(ADA, 0) > 0);
    assert.equal(attempts.waitMs({ ...ADA, username: 'grace' }, 0), 0);
    assert.equal(attempts.waitMs({ ...ADA, address: '192.0.2.2' }, 0), 0);
    for (let i = 0; i < 20; i++) fail(attempts, { username: 'ada', address: `192.0.2.${i}` }, 1);
    assert.ok(attempts.waitMs({ username: 'ADA', address: '198.51.100.1' }, 0) > 0, 'one name');
    for (let i = 0; i < 30; i++) fail(attempts, { username: `u${i}`, address: '192.0.2.9' }, 1);
    assert.ok(attempts.waitMs({ username: 'new', address: '192.0.2.9' }, 0) > 0, 'one address');
  });

  test('takes a /64 of IPv6 for one address', () => {
    const attempts = new LoginAttempts();
    for (let i = 0; i < 6; i++) fail(attempts, { username: 'a', address: `2001:db8:0:1::${i}` }, 1);
    assert.ok(attempts.waitMs({ username: 'a', address: '2001:db8:0:1:ffff::1' }, 0) > 0);
    assert.equal(attempts.waitMs({ username: 'a', address: '2001:db8:0:2::1' }, 0), 0);
  });

  test('forgets the failures of who gets in, and all of them after an hour', () => {
    const attempts = new LoginAttempts();
    fail(attempts, ADA, 5);
    attempts.begin(ADA, 0);
    attempts.succeed(ADA);
    assert.equal(attempts.waitMs(ADA, 0), 0);
    fail(attempts, ADA, 9);
    assert.ok(attempts.waitMs(ADA, 0) > 0);
    assert.equal(attempts.waitMs(ADA, 60 * 60_000 + 1), 0);
  });

  test('does not take all whose address is unknown for one', () => {
    const attempts = new LoginAttempts();
    for (let i = 0; i < 100; i++) attempts.begin({ username: `u${i}`, address: undefined }, 0);
    assert.equal(attempts.waitMs({ username: 'new', address: undefined }, 0), 0);
    for (let i = 0; i < 6; i++) attempts.begin({ username: 'ada', address: undefined }, 0);
    assert.ok(attempts.waitMs({ username: 'ada', address: undefined }, 0) > 0);
  });

  test('is bounded, whoever asks', () => {
    const attempts = new LoginAttempts();
    for (let i = 0; i < 10_000; i++) {
      attempts.begin({ username: `${i}`.repeat(50), address: `10.0.${i >> 8}.${i & 255}` }, i);
    }
    assert.equal(attempts.size, 20_000);
  });
});
