import knex, { type Knex } from 'knex';

import { knexConfig } from '../../src/adapters/knex.ts';
import { GivenUp, type Item, type ItemRow, type Step, type Subject, toItem } from './subject.ts';

export const KNEX: Subject = {
  name: 'Knex',
  open: (database) => {
    const orm = knex(knexConfig(database));
    return {
      execute: async (text) => void (await orm.raw(text)),
      insert: (item) => insert(orm, item),
      list: async () => (await orm<ItemRow>('items').orderBy('id')).map(toItem),
      transaction: (steps) => orm.transaction((tx) => run(tx, steps)),
      countInTransaction: () =>
        orm.transaction(async (tx) => Number((await tx('items').count({ rows: '*' }))[0]!['rows'])),
      close: () => orm.destroy(),
    };
  },
};

async function insert(orm: Knex, item: Item): Promise<void> {
  await orm('items').insert(item);
}

async function run(tx: Knex.Transaction, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'fail') throw new GivenUp();
    if (step.kind === 'call') step.work();
    if (step.kind === 'insert') await insert(tx, step.item);
    if (step.kind === 'nested') await nested(tx, step.steps);
  }
}

async function nested(tx: Knex.Transaction, steps: readonly Step[]): Promise<void> {
  try {
    await tx.transaction((within) => run(within, steps));
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
}
