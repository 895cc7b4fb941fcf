// Errors of SQLite in terms of the node, by what was being done and what the node is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { translate, type Work } from '../src/database/translate.ts';
import { SqliteError } from '../src/drivers/driver.ts';
import { outcomeOf, type SkeinError } from '../src/errors.ts';
import type { NodeRole } from '../src/node-view.ts';
import { FakeNode } from './fake-node.ts';

interface Case {
  readonly code: string;
  readonly role: NodeRole;
  /** What the mount shows, where it is ahead of what was told. */
  readonly shown?: NodeRole;
  readonly work?: Partial<Work>;
}

/** The code that is thrown, and what became of the work. */
function thrownFor({ code, role, shown, work }: Case): string {
  const node = new FakeNode('/litefs', role);
  node.shown = shown;
  const error = new SqliteError('of SQLite', code, undefined);
  const isReadonly = role !== 'primary';
  const all: Work = { node, isReadonly, isWrite: true, mayHaveCommitted: false, ...work };
  const thrown = translate(error, all) as SkeinError | SqliteError;
  if (thrown !== error) assert.equal(thrown.cause, error);
  return `${thrown.code} ${outcomeOf(thrown)}`;
}

describe('An error of SQLite', () => {
  test('is a refusal of the node where the file cannot be written for its role', () => {
    for (const code of ['SQLITE_READONLY', 'SQLITE_READONLY_ROLLBACK', 'SQLITE_CANTOPEN']) {
      assert.equal(thrownFor({ code, role: 'replica' }), 'NOT_PRIMARY not-executed');
      assert.equal(thrownFor({ code, role: 'no-primary' }), 'NO_PRIMARY not-executed');
      assert.equal(thrownFor({ code, role: 'fenced' }), 'FENCED not-executed');
    }
  });

  test('is one too where the news of the role is on its way', () => {
    const refused = { code: 'SQLITE_READONLY', role: 'primary' } as const;
    assert.equal(thrownFor({ ...refused, shown: 'replica' }), 'NOT_PRIMARY not-executed');
    assert.equal(thrownFor({ ...refused, shown: 'fenced' }), 'FENCED not-executed');
    const work = { isReadonly: true };
    assert.equal(thrownFor({ ...refused, work }), 'NOT_PRIMARY not-executed');
  });

  test('stays as it is where the node takes writes: rights, a full disk, a failed log', () => {
    for (const code of ['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_FULL', 'SQLITE_IOERR']) {
      assert.equal(thrownFor({ code, role: 'primary' }), `${code} failed`);
    }
  });

  test('of the disk leaves it open what became of a commit', () => {
    const work = { mayHaveCommitted: true };
    for (const code of ['SQLITE_IOERR', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC']) {
      for (const shown of ['primary', 'replica', 'no-primary'] as const) {
        const thrown = thrownFor({ code, role: 'primary', shown, work });
        assert.equal(thrown, 'OUTCOME_UNKNOWN unknown', `${code} ${shown}`);
      }
    }
  });

  test('of the disk before the commit is a refusal, if the node is not primary any more', () => {
    const thrown = thrownFor({ code: 'SQLITE_IOERR', role: 'primary', shown: 'replica' });
    assert.equal(thrown, 'NOT_PRIMARY not-executed');
  });

  test('stays as it is for who only reads, and where it is about the statement', () => {
    const work = { isWrite: false };
    for (const code of ['SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_BUSY', 'SQLITE_ERROR']) {
      assert.equal(thrownFor({ code, role: 'replica', work }), `${code} failed`);
    }
    for (const code of ['SQLITE_BUSY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_ERROR']) {
      assert.equal(thrownFor({ code, role: 'replica' }), `${code} failed`);
    }
  });

  test('is told from an error of something else', () => {
    const error = new TypeError('of the driver');
    const work = { node: new FakeNode('/litefs', 'replica'), isReadonly: true };
    assert.equal(translate(error, { ...work, isWrite: true, mayHaveCommitted: true }), error);
  });
});
