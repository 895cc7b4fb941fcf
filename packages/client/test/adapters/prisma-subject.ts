// Prisma's side of its driver adapter: the calls that its client makes, with arguments as it sends
// them.

import type {
  ArgType,
  SqlDriverAdapter,
  SqlQuery,
  SqlQueryable,
  Transaction,
} from '@prisma/driver-adapter-utils';

import { PrismaSkein } from '../../src/adapters/prisma/adapter.ts';
import { GivenUp, type Item, type ItemRow, type Step, type Subject, toItem } from './subject.ts';

export const PRISMA: Subject = {
  name: 'the driver adapter of Prisma',
  open: (database) => {
    const adapter = new PrismaSkein(database).connect();
    const call = async <T>(work: (adapter: SqlDriverAdapter) => Promise<T>): Promise<T> =>
      work(await adapter);
    return {
      execute: (text) => call((own) => own.executeScript(text)),
      insert: (item) => call((own) => insert(own, item)),
      list: () => call(list),
      transaction: (steps) => call((own) => transaction(own, (tx) => run(tx, steps))),
      countInTransaction: () =>
        call((own) => transaction(own, async (tx) => (await list(tx)).length)),
      close: async () => {
        await call((own) => own.dispose());
        database.close();
      },
    };
  },
};

const INSERT = 'INSERT INTO items (text, big, real, data) VALUES (?, ?, ?, ?)';

async function insert(adapter: SqlQueryable, { text, big, real, data }: Item): Promise<void> {
  const args = [
    text,
    big === null ? null : String(big),
    real,
    data === null ? null : Buffer.from(data).toString('base64'),
  ];
  await adapter.executeRaw(query(INSERT, args, ['string', 'bigint', 'float', 'bytes']));
}

async function list(adapter: SqlQueryable): Promise<Item[]> {
  const found = await adapter.queryRaw(query('SELECT * FROM items ORDER BY id'));
  return found.rows.map((row) => {
    const entries = found.columnNames.map((name, index) => [name, row[index]]);
    return toItem(Object.fromEntries(entries) as ItemRow);
  });
}

function query(
  sql: string,
  args: unknown[] = [],
  types: readonly ArgType['scalarType'][] = [],
): SqlQuery {
  return { sql, args, argTypes: types.map((scalarType) => ({ scalarType, arity: 'scalar' })) };
}

async function transaction<T>(
  adapter: SqlDriverAdapter,
  body: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const tx = await adapter.startTransaction();
  try {
    const result = await body(tx);
    await tx.commit();
    return result;
  } catch (error) {
    await tx.rollback();
    throw error;
  }
}

async function run(tx: Transaction, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'fail') throw new GivenUp();
    if (step.kind === 'call') step.work();
    if (step.kind === 'insert') await insert(tx, step.item);
    if (step.kind === 'nested') await nested(tx, step.steps);
  }
}

async function nested(tx: Transaction, steps: readonly Step[]): Promise<void> {
  await tx.createSavepoint!('within');
  try {
    await run(tx, steps);
    await tx.releaseSavepoint!('within');
  } catch (error) {
    await tx.rollbackToSavepoint!('within');
    if (!(error instanceof GivenUp)) throw error;
  }
}
