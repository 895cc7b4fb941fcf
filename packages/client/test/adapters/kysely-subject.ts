import { type ControlledTransaction, type Generated, Kysely, sql } from 'kysely';

import { SkeinDialect } from '../../src/adapters/kysely.ts';
import { GivenUp, type Item, type ItemRow, type Step, type Subject, toItem } from './subject.ts';

interface Tables {
  readonly items: Omit<ItemRow, 'big'> & {
    readonly id: Generated<number>;
    readonly big: bigint | null;
  };
}

export const KYSELY: Subject = {
  name: 'Kysely',
  open: (database) => {
    const orm = new Kysely<Tables>({ dialect: new SkeinDialect(database) });
    return {
      execute: async (text) => void (await sql.raw(text).execute(orm)),
      insert: (item) => insert(orm, item),
      list: async () => {
        const rows = await orm.selectFrom('items').selectAll().orderBy('id').execute();
        return rows.map(toItem);
      },
      transaction: (steps) => transaction(orm, steps),
      countInTransaction: () =>
        orm
          .transaction()
          .setAccessMode('read only')
          .execute(async (tx) => {
            const query = tx.selectFrom('items').select((of) => of.fn.countAll().as('rows'));
            return Number((await query.executeTakeFirstOrThrow()).rows);
          }),
      close: () => orm.destroy(),
    };
  },
};

async function insert(orm: Kysely<Tables>, item: Item): Promise<void> {
  await orm.insertInto('items').values(item).execute();
}

/** With savepoints, which Kysely has in transactions that are ended by hand alone. */
async function transaction(orm: Kysely<Tables>, steps: readonly Step[]): Promise<void> {
  const tx = await orm.startTransaction().execute();
  try {
    await run(tx, steps);
    await tx.commit().execute();
  } catch (error) {
    await tx.rollback().execute();
    throw error;
  }
}

async function run(tx: ControlledTransaction<Tables>, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'fail') throw new GivenUp();
    if (step.kind === 'call') step.work();
    if (step.kind === 'insert') await insert(tx, step.item);
    if (step.kind === 'nested') await nested(tx, step.steps);
  }
}

async function nested(tx: ControlledTransaction<Tables>, steps: readonly Step[]): Promise<void> {
  const within = await tx.savepoint('within').execute();
  try {
    await run(within, steps);
    await within.releaseSavepoint('within').execute();
  } catch (error) {
    await within.rollbackToSavepoint('within').execute();
    if (!(error instanceof GivenUp)) throw error;
  }
}
