import { count, sql } from 'drizzle-orm';
import { blob, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

import { drizzle, type SkeinDrizzle } from '../../src/adapters/drizzle.ts';
import { GivenUp, type Item, type ItemRow, type Step, type Subject, toItem } from './subject.ts';

const items = sqliteTable('items', {
  id: integer('id').primaryKey(),
  text: text('text').unique(),
  // Integers come and go as bigint: the database was opened so.
  big: integer('big').$type<bigint>(),
  real: real('real'),
  data: blob('data', { mode: 'buffer' }),
});

type Orm = Pick<SkeinDrizzle, 'insert' | 'transaction'>;

export const DRIZZLE: Subject = {
  name: 'Drizzle',
  open: (database) => {
    const orm = drizzle(database);
    return {
      execute: async (text) => void orm.run(sql.raw(text)),
      insert: async (item) => insert(orm, item),
      list: async () => {
        const rows = orm.select().from(items).orderBy(items.id).all();
        return (rows as ItemRow[]).map(toItem);
      },
      transaction: async (steps) => orm.transaction((tx) => run(tx, steps)),
      countInTransaction: async () =>
        orm.transaction((tx) => tx.select({ rows: count() }).from(items).get()!.rows),
      close: async () => void database.close(),
    };
  },
};

function insert(orm: Orm, { data, ...item }: Item): void {
  const bytes = data === null ? null : Buffer.from(data);
  orm
    .insert(items)
    .values({ ...item, data: bytes })
    .run();
}

function run(orm: Orm, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind === 'fail') throw new GivenUp();
    if (step.kind === 'call') step.work();
    if (step.kind === 'insert') insert(orm, step.item);
    if (step.kind === 'nested') nested(orm, step.steps);
  }
}

function nested(orm: Orm, steps: readonly Step[]): void {
  try {
    orm.transaction((tx) => run(tx, steps));
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
}
