import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { onTestEnd, type TestScope } from './test-cleanup.ts';

/** A scope whose end the test decides. */
function scope(): TestScope & { end: () => Promise<void> } {
  const hooks: (() => Promise<void>)[] = [];
  return {
    after: (hook) => hooks.push(hook),
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
}

describe('onTestEnd()', () => {
  test('takes down in the opposite order, one after the other', async () => {
    const order: string[] = [];
    const t = scope();
    onTestEnd(t, () => void order.push('folder'));
    onTestEnd(t, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('daemon');
    });
    onTestEnd(t, () => void order.push('client'));
    assert.deepEqual(order, []);
    await t.end();
    assert.deepEqual(order, ['client', 'daemon', 'folder']);
  });

  test('goes on after a failure and reports it', async () => {
    const order: string[] = [];
    const t = scope();
    onTestEnd(t, () => void order.push('folder'));
    onTestEnd(t, () => {
      throw new Error('daemon hangs');
    });
    await assert.rejects(t.end(), /daemon hangs/);
    assert.deepEqual(order, ['folder']);
  });

  test('reports all of several failures', async () => {
    const t = scope();
    for (const message of ['one', 'two']) {
      onTestEnd(t, () => {
        throw new Error(message);
      });
    }
    await assert.rejects(t.end(), (error: unknown) => {
      assert.ok(error instanceof AggregateError);
      assert.deepEqual(
        error.errors.map(({ message }) => message as string),
        ['two', 'one'],
      );
      return true;
    });
  });
});
