// What every adapter has to do, on a primary and on a replica.

import assert from 'node:assert/strict';

import { findSkeinError, NotPrimaryError, outcomeOf } from '../../src/errors.ts';
import type { SkeinDatabase } from '../../src/database/shape.ts';
import type { DriverName } from '../../src/drivers/load-driver.ts';
import { DRIZZLE } from './drizzle-subject.ts';
import { KNEX } from './knex-subject.ts';
import { KYSELY } from './kysely-subject.ts';
import { PLAIN } from './plain-subject.ts';
import { PRISMA } from './prisma-subject.ts';
import { CREATE_ITEMS, GivenUp, type Item, type Session, type Subject } from './subject.ts';

export const SUBJECTS: readonly Subject[] = [PLAIN, DRIZZLE, KYSELY, KNEX, PRISMA];
export const DRIVERS: readonly DriverName[] = ['better-sqlite3', 'node:sqlite'];

export function item(text: string | null, rest: Partial<Item> = {}): Item {
  return { text, big: null, real: null, data: null, ...rest };
}

const ITEMS: readonly Item[] = [
  item('everything', { big: 2n ** 60n + 1n, real: 0.5, data: Uint8Array.of(0, 1, 255) }),
  item(null),
  item('ünïcode 🪿', { big: -(2n ** 63n), real: -1e300, data: new Uint8Array() }),
];

const texts = async (session: Session): Promise<(string | null)[]> =>
  (await session.list()).map(({ text }) => text);

/** All that a node does that takes writes. The table is new; it has `ITEMS` and two more after. */
export async function checkPrimary(session: Session): Promise<void> {
  await session.execute(CREATE_ITEMS);
  for (const each of ITEMS) await session.insert(each);
  assert.deepEqual(await session.list(), ITEMS);

  const insert = (text: string) => ({ kind: 'insert', item: item(text) }) as const;
  const fail = { kind: 'fail' } as const;
  const nested = (...steps: Parameters<Session['transaction']>[0]) =>
    ({ kind: 'nested', steps }) as const;

  await assert.rejects(session.transaction([insert('rolled back'), fail]), GivenUp);
  await session.transaction([
    insert('committed'),
    nested(insert('of a failed one within'), fail),
    nested(insert('committed within')),
  ]);
  const expected = [...ITEMS.map(({ text }) => text), 'committed', 'committed within'];
  assert.deepEqual(await texts(session), expected);
  assert.equal(await session.countInTransaction(), expected.length);

  // What SQLite refuses has failed: it is neither unknown, nor a matter of the node.
  await assert.rejects(session.insert(item('committed')), (error) => {
    assert.equal(findSkeinError(error), undefined);
    assert.equal(outcomeOf(error), 'failed');
    return true;
  });
  await assert.rejects(session.transaction([insert('lost with it'), insert('committed')]));
  assert.deepEqual(await texts(session), expected);
}

/**
 * Transactions take the lock of the writer when they begin; those that only read, and can say so,
 * do not. `other`: the same database, which does not wait for locks.
 */
export async function checkLocks(session: Session, other: SkeinDatabase): Promise<void> {
  const write = (): void => other.transaction(() => undefined)();
  const isLocked = (): void => assert.throws(write, { code: /^SQLITE_BUSY/ });
  let callCount = 0;
  const work = (): void => {
    isLocked();
    callCount += 1;
  };
  await session.transaction([{ kind: 'call', work }]);
  const steps = [{ kind: 'call', work }, { kind: 'fail' }] as const;
  await assert.rejects(session.transaction(steps), GivenUp);
  assert.equal(callCount, 2);
  write();
}

/** All that a replica does, which has what checkPrimary() left. */
export async function checkReplica(
  session: Session,
  primary: { readonly name: string; readonly url?: string },
): Promise<void> {
  const before = await session.list();
  assert.deepEqual(before.slice(0, ITEMS.length), ITEMS);
  assert.equal(await session.countInTransaction(), before.length);

  const isRefusal = (error: unknown): boolean => {
    const found = findSkeinError(error);
    assert.ok(found instanceof NotPrimaryError, String(error));
    assert.equal(found.code, 'NOT_PRIMARY');
    // Knex puts the statement before it.
    assert.match(found.message, /Write operation attempted on replica node/);
    assert.equal(found.primary?.name, primary.name);
    if (primary.url !== undefined) assert.equal(found.primary.url, primary.url);
    assert.equal(outcomeOf(error), 'not-executed');
    return true;
  };
  await assert.rejects(session.insert(item('never')), isRefusal);
  await assert.rejects(session.execute('CREATE TABLE never (x)'), isRefusal);
  await assert.rejects(session.execute("UPDATE items SET text = 'never' WHERE 0"), isRefusal);
  const steps = [{ kind: 'insert', item: item('never') }] as const;
  await assert.rejects(session.transaction(steps), isRefusal);
  // It is none the worse for that.
  assert.deepEqual(await session.list(), before);
}
