import assert from 'node:assert/strict';
import { test } from 'node:test';

import { weatherFile, weatherRowCount } from './weather.ts';

test('weatherFile() has ten columns and no header, each half hour since 1995', () => {
  const untilMs = Date.UTC(1995, 7, 1);
  const text = [...weatherFile(untilMs)].join('');
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, weatherRowCount(untilMs));
  assert.equal(lines.length, 12 + 31 * 48);
  assert.match(lines[0]!, /^1995-06-30 18:00:00,-?\d+,/);
  assert.match(lines[1]!, /^1995-06-30 18:30:00,/);
  assert.match(lines.at(-1)!, /^1995-07-31 23:30:00,/);
  for (const line of lines) assert.match(line, /^[-\d]{10} [:\d]{8}(?:,-?\d*){9}$/);
  assert.equal([...weatherFile(untilMs)].join(''), text);
});
