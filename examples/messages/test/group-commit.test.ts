import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GroupCommit } from '../src/group-commit.ts';

test('What comes together is committed together, and each learns of its own', async () => {
  const groups: (readonly number[])[] = [];
  const commits = new GroupCommit((items: readonly number[]) => {
    groups.push(items);
    return items.map((item) => item * 10);
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map((item) => commits.add(item))), [10, 20, 30]);
  assert.equal(await commits.add(4), 40);
  assert.deepEqual(groups, [[1, 2, 3], [4]]);
});

test('A commit that fails fails for all in it, and for none after it', async () => {
  let isFailing = true;
  const commits = new GroupCommit((items: readonly number[]) => {
    if (isFailing) throw new Error('The disk is full');
    return items;
  });
  const results = await Promise.allSettled([1, 2].map((item) => commits.add(item)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  isFailing = false;
  assert.equal(await commits.add(3), 3);
});
