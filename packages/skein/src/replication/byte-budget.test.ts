import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ByteBudget } from './byte-budget.ts';

/** Lets everything happen that waits for nothing but its turn. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('ByteBudget', () => {
  test('lets in what fits, and the rest in order, however small', async () => {
    const budget = new ByteBudget(10);
    const order: string[] = [];
    const take = (name: string, bytes: number): void =>
      void budget.take(bytes).then(() => order.push(name));
    take('a', 6);
    take('b', 6);
    take('c', 1);
    await settle();
    assert.deepEqual(order, ['a']);
    budget.give(6);
    await settle();
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  test('lets in what is larger than all of it when nothing else is under way', async () => {
    const budget = new ByteBudget(10);
    await budget.take(1);
    let isIn = false;
    const large = budget.take(100).then(() => (isIn = true));
    await settle();
    assert.equal(isIn, false);
    budget.give(1);
    await large;
    budget.give(100);
    await budget.take(10);
  });

  test('takes it for a bug when more is given back than was taken', async () => {
    const budget = new ByteBudget(10);
    await budget.take(3);
    assert.throws(() => budget.give(4));
  });
});
