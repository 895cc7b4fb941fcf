// The database of the client as it is, without any library on top of it.

import type { SkeinDatabase } from '../../src/database/shape.ts';
import { GivenUp, type Item, type ItemRow, type Step, type Subject, toItem } from './subject.ts';

export const PLAIN: Subject = {
  name: 'the database itself',
  open: (database) => ({
    execute: async (sql) => void database.exec(sql),
    insert: async (item) => insert(database, item),
    list: async () => {
      const rows = database.prepare('SELECT * FROM items ORDER BY id').all();
      return (rows as ItemRow[]).map(toItem);
    },
    transaction: async (steps) => database.transaction(run)(database, steps),
    countInTransaction: async () =>
      database.transaction(() => {
        return Number(database.prepare('SELECT count(*) FROM items').pluck().get());
      })(),
    close: async () => void database.close(),
  }),
};

function insert(database: SkeinDatabase, { text, big, real, data }: Item): void {
  const statement = database.prepare(
    'INSERT INTO items (text, big, real, data) VALUES (?, ?, ?, ?)',
  );
  statement.run(text, big, real, data);
}

function run(database: SkeinDatabase, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind === 'fail') throw new GivenUp();
    if (step.kind === 'call') step.work();
    if (step.kind === 'insert') insert(database, step.item);
    if (step.kind === 'nested') nested(database, step.steps);
  }
}

function nested(database: SkeinDatabase, steps: readonly Step[]): void {
  try {
    database.transaction(run)(database, steps);
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
}
