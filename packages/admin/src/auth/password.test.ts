import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { hashPassword, isPasswordHash, passwordProblem, verifyPassword } from './password.ts';
import { PasswordChecks } from './password-checks.ts';

const CHEAP = { cost: 16, blockSize: 8, parallelization: 1 };

describe('hashPassword()', () => {
  test('is verified by the password alone, however it was typed', async () => {
    const hash = await hashPassword('pässword', CHEAP);
    const isRight = async (password: string): Promise<boolean> =>
      (await verifyPassword(password, hash, CHEAP)).isRight;
    assert.match(hash, /^scrypt\$16\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    assert.equal(await isRight('pässword'), true);
    assert.equal(await isRight('pässword'.normalize('NFD')), true);
    assert.equal(await isRight('passwort'), false);
    assert.equal(await isRight(''), false);
    assert.equal(await isRight('x'.repeat(2000)), false);
    assert.notEqual(await hashPassword('pässword', CHEAP), hash);
  });

  test('says when its parameters are not those of today', async () => {
    const hash = await hashPassword('password', CHEAP);
    assert.equal((await verifyPassword('password', hash, CHEAP)).isOutdated, false);
    const now = { ...CHEAP, cost: 32 };
    assert.deepEqual(await verifyPassword('password', hash, now), {
      isRight: true,
      isOutdated: true,
    });
  });

  test('takes no hash that is damaged or wants all memory', () => {
    const [salt, hash] = ['A'.repeat(22), 'A'.repeat(43)];
    assert.equal(isPasswordHash(`scrypt$16384$8$1$${salt}$${hash}`), true);
    for (const parameters of ['0$8$1', '3$8$1', '16$0$1', '16$8$0', '16777216$8$1', '16$8']) {
      assert.equal(isPasswordHash(`scrypt$${parameters}$${salt}$${hash}`), false, parameters);
    }
    assert.equal(isPasswordHash('plain'), false);
  });
});

test('passwordProblem() names what is wrong', () => {
  assert.equal(passwordProblem('correct horse', 'ada'), undefined);
  for (const password of ['short', '1234567890', 'Ada.Lovelace', 'abababababab']) {
    assert.notEqual(passwordProblem(password, 'ada.lovelace'), undefined, password);
  }
});

describe('PasswordChecks', () => {
  const attempt = { username: 'ada', password: 'correct horse', address: '::1', nowMs: 0 };

  test('gives a new hash for an old one', async () => {
    const checks = new PasswordChecks(CHEAP);
    const hash = await hashPassword('correct horse', { ...CHEAP, cost: 32 });
    const result = await checks.check({ ...attempt, hash });
    assert.ok(result.kind === 'right' && result.newHash!.startsWith('scrypt$16$'));
  });

  test('looks at a password of nobody too, and never finds it right', async () => {
    const checks = new PasswordChecks(CHEAP);
    assert.deepEqual(await checks.check({ ...attempt, hash: undefined }), { kind: 'wrong' });
  });

  test('counts tries when they begin, so that many at once are not free', async () => {
    const checks = new PasswordChecks(CHEAP);
    const hash = await hashPassword('something else', CHEAP);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => checks.check({ ...attempt, hash })),
    );
    const count = (kind: string): number => results.filter((one) => one.kind === kind).length;
    assert.equal(count('wrong'), 5);
    assert.equal(count('wait'), 15);
  });

  test('does not check for ever more at once', async () => {
    const checks = new PasswordChecks(CHEAP);
    const hash = await hashPassword('something else', CHEAP);
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        checks.check({ ...attempt, username: `u${i}`, address: `192.0.2.${i}`, hash }),
      ),
    );
    assert.equal(results.filter(({ kind }) => kind === 'wrong').length, 2 + 32);
    assert.equal((await checks.check({ ...attempt, hash })).kind, 'wrong', 'there is room again');
  });
});
