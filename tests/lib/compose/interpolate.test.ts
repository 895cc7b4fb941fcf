import assert from 'node:assert/strict';
import { test } from 'node:test';

import { interpolate, interpolateAll } from './interpolate.ts';

test('interpolate() replaces variables as Compose does', () => {
  const variables = { NAME: 'node1', EMPTY: '' };
  const cases: readonly (readonly [text: string, expected: string])[] = [
    ['$NAME and ${NAME}', 'node1 and node1'],
    ['$$NAME', '$NAME'],
    ['${MISSING}', ''],
    ['${MISSING-a}${EMPTY-a}', 'a'],
    ['${MISSING:-a}${EMPTY:-b}', 'ab'],
    ['${NAME:+a}${EMPTY:+b}${EMPTY+c}', 'ac'],
    ['5$ a $ b', '5$ a $ b'],
  ];
  for (const [text, expected] of cases) assert.equal(interpolate(text, variables, []), expected);
});

test('interpolateAll() goes into lists and mappings, and names what is demanded', () => {
  const problems: string[] = [];
  const value = { a: ['$NAME', 1], $NAME: '${SECRET:?is needed}' };
  const expected = { a: ['node1', 1], $NAME: '' };
  assert.deepEqual(interpolateAll(value, { NAME: 'node1' }, problems), expected);
  assert.deepEqual(problems, ['SECRET: is needed']);
});
