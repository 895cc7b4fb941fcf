import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toPrismaError } from './adapters/prisma/errors.ts';
import { SqliteError } from './drivers/driver.ts';
import {
  findSkeinError,
  isSkeinError,
  NoPrimaryError,
  NotPrimaryError,
  outcomeOf,
  OutcomeUnknownError,
} from './errors.ts';

test('An error says where the primary is, and what became of the work', () => {
  const proxyUrl = 'http://node1:8000/';
  const error = new NotPrimaryError({ name: 'node1', url: 'http://node1:20202/', proxyUrl });
  assert.equal(
    error.message,
    'Write operation attempted on replica node (primary: node1 at http://node1:8000/)',
  );
  assert.equal(
    new NotPrimaryError({ name: 'node1' }).message,
    'Write operation attempted on replica node (primary: node1)',
  );
  assert.equal(new NotPrimaryError(undefined).message, 'Write operation attempted on replica node');
  assert.deepEqual([error.outcome, error.primary?.proxyUrl], ['not-executed', proxyUrl]);
  assert.equal(outcomeOf(new OutcomeUnknownError(undefined)), 'unknown');
  assert.equal(outcomeOf(new RangeError('of the application')), 'failed');
});

test('findSkeinError() looks where ORMs put the errors of drivers', () => {
  const error = new NoPrimaryError();
  const wrapped = new Error('Failed query', { cause: new Error('of Drizzle', { cause: error }) });
  assert.equal(findSkeinError(wrapped), error);
  assert.equal(outcomeOf(wrapped), 'not-executed');
  // Prisma keeps code, message and what is in `meta`.
  const { meta } = toPrismaError(error) as { readonly meta: object };
  assert.equal(findSkeinError({ code: 'NO_PRIMARY', meta: { modelName: 'User', ...meta } }), error);
  assert.doesNotThrow(() => JSON.stringify(error));
  const circle = new Error('itself');
  circle.cause = circle;
  for (const none of [circle, undefined, null, 'text', { cause: 7 }]) {
    assert.equal(findSkeinError(none), undefined);
  }
});

test('An error of another copy of this package is known', async () => {
  const path = './errors.ts?copy';
  const copy = (await import(path)) as { readonly NoPrimaryError: typeof NoPrimaryError };
  const error = new copy.NoPrimaryError();
  assert.equal(error instanceof NoPrimaryError, false);
  assert.equal(isSkeinError(error), true);
});

test('Prisma is told what SQLite says in its own terms', () => {
  const causeOf = (code: string, message: string): unknown => {
    return (toPrismaError(new SqliteError(message, code, undefined)) as Error).cause;
  };
  const originalMessage = 'UNIQUE constraint failed: users.email, users.name';
  assert.deepEqual(causeOf('SQLITE_CONSTRAINT_UNIQUE', originalMessage), {
    originalCode: 'SQLITE_CONSTRAINT_UNIQUE',
    originalMessage,
    kind: 'UniqueConstraintViolation',
    constraint: { fields: ['email', 'name'] },
  });
  const kindOf = (code: string, message: string): unknown => {
    const { originalCode, originalMessage, ...rest } = causeOf(code, message) as Error & {
      originalCode: string;
      originalMessage: string;
    };
    assert.deepEqual([originalCode, originalMessage], [code, message]);
    return rest;
  };
  assert.deepEqual(kindOf('SQLITE_ERROR', 'no such table: users'), {
    kind: 'TableDoesNotExist',
    table: 'users',
  });
  assert.deepEqual(kindOf('SQLITE_ERROR', 'table users has no column named age'), {
    kind: 'ColumnNotFound',
    column: 'age',
  });
  assert.deepEqual(kindOf('SQLITE_BUSY_SNAPSHOT', 'database is locked'), { kind: 'SocketTimeout' });
  assert.deepEqual(kindOf('SQLITE_FULL', 'disk full'), {
    kind: 'sqlite',
    extendedCode: 1,
    message: 'disk full',
  });
  const other = new TypeError('not of SQLite');
  assert.equal(toPrismaError(other), other);
});
